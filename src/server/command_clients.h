#pragma once

#include <stormo/groups.h>

#include "protocol/client/group_command.h"
#include "server/server_context.h"

namespace stormo::server {

/// The clients that speak the group commands (docs/group-protocol.md).
class CommandClients {
 public:
  explicit CommandClients(const ServerContext& context);

  void onMessage(Connection& connection, Message message);
  void onGroupMessage(const GroupMessage& said) { groups_.send(said.group, said.message); }
  /// The Channel does not accept a message of that client, which may be gone.
  void onRefused(ConnectionId client);
  [[nodiscard]] bool isInGroups(const Connection& connection) const {
    return groups_.groupCount(connection) > 0;
  }

 private:
  void join(Connection& connection, std::string_view group);

  const ServerContext& context_;
  GroupCommandDecoder decoder_;
  Groups groups_;
};

}  // namespace stormo::server
