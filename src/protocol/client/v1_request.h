#pragma once

#include <stormo/channel/messages.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/client/command_reader.h"

/// The requests of a client that speaks the subprotocol stormo.v1 (docs/v1-protocol.md):
///
///     {"id":1, "cmd":"join", "group":"123", "epoch":"5f3a90c1e07b2d46", "offset":41}
///     {"id":2, "cmd":"send", "group":"123", "message":"text"}
///     {"id":3, "cmd":"join", "to":"user"}
namespace stormo::v1 {

inline constexpr std::string_view kSubprotocol = "stormo.v1";
/// The largest integer that every JSON reader represents exactly.
inline constexpr std::uint64_t kIdMax = (std::uint64_t{1} << 53) - 1;

enum class Command { Join, Leave, Send, Session, Refresh, WhoAmI, Ping };
/// What a Join or a Leave is about: a group, what is sent to the client's user, or to everybody.
enum class To { Group, User, Everybody };

struct Request {
  std::uint64_t id = 0;  ///< 1 to kIdMax.
  Command command = Command::Ping;
  std::string_view pong;         ///< Of a Ping without an id: see CommandReader::heartbeatReply().
  To to = To::Group;             ///< Of Join, Leave.
  std::string_view group;        ///< Of Join, Leave, Send; empty if `to` is no group.
  std::string_view message;      ///< Of Send.
  std::optional<Position> seen;  ///< Of Join.
  std::uint64_t session = 0;     ///< Of Session; not zero.
  std::string_view token;        ///< Of Refresh.
};

/// Decodes requests, one after another. One decoder serves all connections of a worker.
class RequestDecoder {
 public:
  RequestDecoder();

  /// Decodes one message. `out` is complete only with CommandError::None; its views are valid until
  /// the next call. With an error, only `out.id` is set, and zero if the message has no valid id.
  [[nodiscard]] CommandError decode(std::string_view text, Request& out);

  /// The last error as a sentence; see CommandReader::detail().
  [[nodiscard]] std::string_view detail() const { return reader_.detail(); }

 private:
  CommandError readId(Request& out);
  CommandError readTarget(Request& out);
  CommandError readSeen(Request& out);
  CommandError readSession(Request& out);

  CommandReader reader_;
};

}  // namespace stormo::v1
