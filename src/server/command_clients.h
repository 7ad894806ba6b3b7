#pragma once

#include <stormo/groups.h>
#include <stormo/timer.h>

#include <chrono>

#include "protocol/client/group_command.h"
#include "server/server_context.h"

namespace stormo::server {

/// The clients that use the group commands (docs/group-protocol.md).
class CommandClients {
 public:
  explicit CommandClients(const ServerContext& context);
  ~CommandClients();
  CommandClients(const CommandClients&) = delete;
  CommandClients& operator=(const CommandClients&) = delete;

  void onMessage(Connection& client, Message message);
  /// It has connected. `hasNewUser`: it has shown a token, too; as after its first refresh.
  void onAdmitted(Connection& client, bool hasNewUser);
  /// It is closed.
  void onClose(Connection& client, bool hadUser);
  void onExpiring(Connection& client, std::chrono::seconds left);
  /// The Channel has refused a message of that client, which may be closed.
  void onRefused(ConnectionId client);

  void onGroupMessage(const GroupMessage& message);
  /// For a user, or everybody.
  void onAudienceMessage(const GroupMessage& message);
  /// A message for that client alone, or for its user.
  static void deliver(Connection& client, const GroupMessage& message) {
    ServerContext::reply(client, message.message);
  }

  // By the backend:

  /// Makes it a member, unless it is one, and sends it the messages of the reply before. Returns
  /// true if it became a member.
  bool joinByBackend(Connection& client, std::string_view group, const HistoryReply& reply);
  void leave(Connection& client, std::string_view group);

  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] bool isInGroups(const Connection& client) const {
    return groups_.groupCount(client) > 0;
  }

 private:
  void join(Connection& client, std::string_view group);
  void joinGroupsOf(Connection& client);
  void send(Connection& client, std::string_view group, std::string_view message);
  void refresh(Connection& client, std::string_view token);
  void replyError(Connection& client, std::string_view code, std::string_view text);
  void sendTo(Groups& groups, std::string_view name, const GroupMessage& message);
  void gatherEverybody();
  void dismissEverybody();

  const ServerContext& context_;
  GroupCommandDecoder decoder_;
  Groups groups_;
  /// All clients, from a message to everybody until none has come for some time: an idle client has
  /// no memory for it.
  Groups everybody_;
  Timer::Id dismissal_ = 0;       // while everybody_ has them
  bool isEverybodyUsed_ = false;  // since the timer's last call
};

}  // namespace stormo::server
