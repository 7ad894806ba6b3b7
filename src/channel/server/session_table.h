#pragma once

#include <stormo/channel/messages.h>

#include <cstddef>
#include <cstdint>

#include "base/keyed_hash.h"
#include "channel/server/state_file.h"
#include "sys/clock.h"

namespace stormo::channel {

/// The last send of each client session, to recognise duplicates. Forgets a session one hour after
/// its last send, and earlier while more than kSessionsMax sessions have sent in that hour.
class SessionTable {
 public:
  static constexpr std::size_t kSessionsMax = 500'000;

  /// Returns true, and stores the send, if it is not a duplicate.
  [[nodiscard]] bool take(SendId send, TimePoint now);

  void save(StateWriter& state) const;
  void load(StateReader& state);

 private:
  using Sequences = KeyedMap<std::uint64_t, std::uint64_t>;  // by session

  // Sends are stored in the young table. When it is an hour old or full, it replaces the old table,
  // and a new young table starts.
  Sequences young_;
  Sequences old_;
  TimePoint youngSince_{};
};

}  // namespace stormo::channel
