#pragma once

#include <stormo/connection.h>

#include <cstdint>

#include "base/keyed_hash.h"
#include "channel/server/state_file.h"
#include "sys/clock.h"

namespace stormo::channel {

/// The latest sequence of each producer over all its links, to drop duplicates that are resent on a
/// new link.
class ProducerTable {
 public:
  struct Producer {
    std::uint64_t taken = 0;  ///< Latest sequence routed.
    ConnectionId link = 0;    ///< Zero: no link now. Then:
    TimePoint leftAt{};
  };

  /// The producer of that id, created if unknown; its link has sent Hello. Valid while it has a
  /// link and one hour longer; it is removed within another minute.
  Producer& enter(std::uint64_t id, TimePoint now);
  /// A link of the producer has ended. It may already have another one.
  static void leave(Producer& producer, ConnectionId link, TimePoint now);

  void save(StateWriter& state, TimePoint now) const;
  void load(StateReader& state);

 private:
  /// Removes old producers, at most once a minute.
  void removeOld(TimePoint now);

  KeyedMap<std::uint64_t, Producer> producers_;
  TimePoint removedAt_{};  // time of the last removeOld()
};

}  // namespace stormo::channel
