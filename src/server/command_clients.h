#pragma once

#include <stormo/groups.h>

#include "protocol/group_command.h"
#include "server/surroundings.h"

namespace stormo::server {

/// The clients that speak the group commands (docs/group-protocol.md).
class CommandClients {
 public:
  explicit CommandClients(const Surroundings& surroundings);

  void onMessage(Connection& connection, Message message);
  void onGroupMessage(const channel::GroupMessage& said) { groups_.send(said.group, said.message); }
  /// The Channel does not accept a message of that client, which may be gone.
  void onRefused(ConnectionId client);
  [[nodiscard]] bool isInGroups(const Connection& connection) const {
    return groups_.groupCount(connection) > 0;
  }

 private:
  void join(Connection& connection, std::string_view group);

  const Surroundings& with_;
  GroupCommandDecoder decoder_;
  Groups groups_;
};

}  // namespace stormo::server
