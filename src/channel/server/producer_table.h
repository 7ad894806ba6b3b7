#pragma once

#include <stormo/connection.h>

#include <cstdint>

#include "base/keyed_hash.h"
#include "channel/server/state_file.h"
#include "sys/clock.h"

namespace stormo::channel {

/// What a Channel server knows of its publishers, over all their links: how far it has got with
/// each, so that what is said again on a new link is not passed on again.
class ProducerTable {
 public:
  struct Publisher {
    std::uint64_t taken = 0;  ///< The last sequence that was passed on.
    ConnectionId link = 0;    ///< Zero: it has none now. Then:
    TimePoint leftAt{};
  };

  /// The publisher of that id, known or new, which has said Hello. Valid while it has a link, and
  /// for an hour after; it is forgotten within another minute.
  Publisher& enter(std::uint64_t id, TimePoint now);
  /// That link of it has ended; it may have another one by now.
  static void leave(Publisher& publisher, ConnectionId link, TimePoint now);

  void save(StateWriter& state, TimePoint now) const;
  void load(StateReader& state);

 private:
  /// Looks at all of them, once in a while.
  void forgetOld(TimePoint now);

  KeyedMap<std::uint64_t, Publisher> producers_;
  TimePoint lookedAt_{};  // when forgetOld() last did
};

}  // namespace stormo::channel
