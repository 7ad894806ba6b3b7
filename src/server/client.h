#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sys/clock.h"

namespace stormo::server {

/// What is known of one client beside its connection. Of clients of the group commands nothing is,
/// until they are wrong for the first time.
struct Client {
  std::size_t badInARow = 0;
  TimePoint badSince;  ///< The first of these.

  // Of stormo.v1:
  bool speaksV1 = false;
  std::uint64_t session = 0;   ///< Zero: none.
  std::uint64_t lastSend = 0;  ///< In it: the id of the latest send.
  /// A join that the Channel has not answered yet.
  struct Join {
    std::uint64_t id;
    std::string group;
  };
  std::vector<Join> joins;
};

}  // namespace stormo::server
