#pragma once

#include <stormo/channel/messages.h>
#include <stormo/event_loop.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stormo::server {

/// The state of one client. A client of the group commands has none until its first error.
struct ClientState {
  std::size_t badInARow = 0;        ///< Bad commands since the last good one.
  EventLoop::TimePoint badSince;    ///< The time of the first of these.
  std::size_t refusedInARow = 0;    ///< Forbidden joins and sends since the last allowed one.
  std::vector<std::string> groups;  ///< Memberships; kept only if GroupServer::onLeave is set.

  // Of stormo.v1:
  bool speaksV1 = false;
  std::uint64_t session = 0;   ///< 0: none.
  std::uint64_t lastSend = 0;  ///< The id of the latest send of the session.
  /// A join that the Channel has not answered yet.
  struct Join {
    enum class Kind { Plain, Replay };
    std::uint64_t id;
    std::string group;  ///< Its name in the Channel, or that of the user or of everybody.
    std::optional<Position> seen;  ///< With a position the answer is the messages after it.
    bool isRequested = false;
    [[nodiscard]] Kind kind() const { return seen ? Kind::Replay : Kind::Plain; }
  };
  std::vector<Join> joins;
  // Used by the JoinQueue:
  std::array<bool, 2> isQueued{};      ///< By kind of join.
  bool isReplaying = false;            ///< The Channel has a join of kind Replay to answer.
  EventLoop::TimePoint replaysPaidAt;  ///< From then on all its replays are within the rate.
};

/// What the backend has set with `info`; a client has none until then.
struct InfoOfBackend {
  std::string text;  ///< The JSON text of an object, or empty.
};

}  // namespace stormo::server
