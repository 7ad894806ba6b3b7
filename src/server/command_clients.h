#pragma once

#include <stormo/groups.h>

#include <chrono>

#include "protocol/client/group_command.h"
#include "server/server_context.h"

namespace stormo::server {

/// The clients that use the group commands (docs/group-protocol.md).
class CommandClients {
 public:
  explicit CommandClients(const ServerContext& context)
      : context_(context), groups_(context.channel) {
    groups_.setSlowRules(context.options.slowRules);
  }

  void onMessage(Connection& client, Message message);
  /// Makes it a member of the groups that its token states.
  void joinGroupsOf(Connection& client);
  void onExpiring(Connection& client, std::chrono::seconds left);
  /// The Channel has refused a message of that client, which may be closed.
  void onRefused(ConnectionId client);

 private:
  void join(Connection& client, std::string_view group);
  void leave(Connection& client, std::string_view group);
  void send(Connection& client, std::string_view group, std::string_view message);
  void refresh(Connection& client, std::string_view token);
  void replyError(Connection& client, std::string_view code, std::string_view text);

  const ServerContext& context_;
  GroupCommandDecoder decoder_;
  Groups groups_;  // attached to the Channel: members receive the messages as they are
};

}  // namespace stormo::server
