#pragma once

#include <stormo/channel/messages.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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
    enum class Kind { Plain, Replay };
    std::uint64_t id;
    std::string group;
    std::optional<Position> seen;  ///< Then it is answered with what was missed since.
    bool isAsked = false;
    [[nodiscard]] Kind kind() const { return seen ? Kind::Replay : Kind::Plain; }
  };
  std::vector<Join> joins;
  // What the JoinQueue knows of it:
  std::array<bool, 2> isQueued{};  ///< By kind of join.
  bool isReplaying = false;        ///< The Channel has a join of kind Replay to answer.
  TimePoint replaysPaidAt;         ///< When all its replays are within the rate.
};

}  // namespace stormo::server
