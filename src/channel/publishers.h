#pragma once

#include <stormo/connection.h>

#include <cstdint>
#include <unordered_map>

#include "sys/clock.h"

namespace stormo::channel {

/// What a Channel server knows of its publishers, over all their links: how far it has got with
/// each, so that what is said again on a new link is not passed on again.
class Publishers {
 public:
  struct Publisher {
    std::uint64_t taken = 0;  ///< The last sequence that was passed on.
    ConnectionId link = 0;    ///< Zero: it has none now. Then:
    TimePoint leftAt{};
  };

  /// A publisher has said Hello on that link. Gives the link that it had before, or zero: nothing
  /// more may come of it. The Publisher is valid until it has been away for an hour.
  ConnectionId enter(std::uint64_t id, ConnectionId link, TimePoint now);
  void leave(std::uint64_t id, ConnectionId link, TimePoint now);
  /// Must have entered.
  Publisher& at(std::uint64_t id) { return publishers_.at(id); }

 private:
  void forgetOld(TimePoint now);

  std::unordered_map<std::uint64_t, Publisher> publishers_;
};

}  // namespace stormo::channel
