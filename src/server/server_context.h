#pragma once

#include <stormo/channel.h>
#include <stormo/connection.h>
#include <stormo/group_server.h>
#include <stormo/worker.h>

#include <string>
#include <string_view>

#include "server/access_control.h"
#include "server/audiences.h"
#include "server/client_state.h"
#include "server/group_publisher.h"

namespace stormo::server {

/// What the clients of both protocols share within one worker process.
struct ServerContext {
  GroupServer& server;
  Worker& worker;
  Channel& channel;
  const GroupServerOptions options;
  GroupPublisher& publisher;
  AccessControl& access;
  Audiences& audiences;

  [[nodiscard]] bool mayJoin(Connection& client, std::string_view group) const {
    if (access.isOpen() && !server.mayJoin) return true;
    return access.allows(client, access::May::Join, group) &&
           (!server.mayJoin || server.mayJoin(client, group)) && endRefusals(client);
  }
  /// `message` becomes what is published, which is valid until the next call.
  [[nodiscard]] bool maySend(Connection& client, std::string_view group,
                             std::string_view& message) const {
    if (access.isOpen() && !server.maySend) return true;
    if (!access.allows(client, access::May::Send, group) ||
        (server.maySend && !server.maySend(client, group, message))) {
      return false;
    }
    message = access.enclosed(client, group, message);
    return endRefusals(client);
  }
  /// `text` is a command that the protocol does not know. True if the program handled it.
  [[nodiscard]] bool isOwnCommand(Connection& client, std::string_view text) const;

  /// May the client join another group, if it is in this number of groups? False: the reply is
  /// tooManyGroupsText().
  [[nodiscard]] bool hasRoomForGroup(std::size_t groups) const {
    if (groups < options.groupsPerClientMax) return true;
    worker.countGroupRefusal(options.groupsPerClientDryRun);
    return options.groupsPerClientDryRun;
  }
  [[nodiscard]] std::string tooManyGroupsText() const {
    return "a client may be in " + std::to_string(options.groupsPerClientMax) + " groups";
  }

  /// Call them when the client is, or is no longer, a member.
  void joined(Connection& client, std::string_view group) const;
  void left(Connection& client, std::string_view group) const;
  /// The client is closed.
  void leftAll(Connection& client) const;

  /// A client that reads so little that there is no room for a reply is disconnected: it must not
  /// wait for a reply that was dropped.
  static void reply(Connection& client, Message message) {
    if (client.send(message) == SendStatus::Full) client.destroy();
  }

  /// Replies with `text`, which states an error. After too many errors in a row within too short a
  /// time the client is closed.
  void replyError(Connection& client, std::string_view text) const;
  /// The same for a join or a send that is forbidden. After too many of them, with none that was
  /// allowed, the client is closed.
  void replyRefusal(Connection& client, std::string_view text) const;
  /// A join or a send was allowed. Returns true.
  static bool endRefusals(Connection& client) {
    if (auto* state = client.stateOrNull<ClientState>()) state->refusedInARow = 0;
    return true;
  }
};

/// The client speaks stormo.v1; else it uses the group commands.
[[nodiscard]] inline bool isOfV1(Connection& client) {
  const auto* const state = client.stateOrNull<ClientState>();
  return state != nullptr && state->speaksV1;
}

inline constexpr std::string_view kTooManyGroups = "too_many_groups";
inline constexpr std::string_view kInvalidToken = "invalid_token";
inline constexpr std::string_view kNoUser = "no_user";
inline constexpr std::string_view kNoUserText = "this client has no user: it has shown no token";
inline constexpr std::string_view kForbidden = "forbidden";
inline constexpr std::string_view kForbiddenJoin = "this client may not join this group";
inline constexpr std::string_view kForbiddenSend = "this client may not send to this group";

}  // namespace stormo::server
