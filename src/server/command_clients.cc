#include "server/command_clients.h"

namespace stormo::server {

CommandClients::CommandClients(const ServerContext& context) : context_(context) {
  context_.interest.follow(groups_);
}

void CommandClients::onMessage(Connection& connection, Message message) {
  GroupRequest request;
  const CommandError error = decoder_.decode(message.data, request);
  if (error != CommandError::None) {
    return context_.complain(connection, errorReply(codeName(error), decoder_.detail()));
  }
  if (Client* client = connection.stateOrNull<Client>()) client->badInARow = 0;
  switch (request.command) {
    case GroupCommand::AddGroup:
      return join(connection, request.group);
    case GroupCommand::LeaveGroup:
      groups_.leave(connection, request.group);
      return;
    case GroupCommand::SendToGroup:
      return context_.publishing.publish(connection,
                                         {.group = request.group, .message = request.message});
    case GroupCommand::Ping:
      return ServerContext::reply(connection, request.pong);
  }
}

void CommandClients::onRefused(ConnectionId client) {
  if (Connection* connection = context_.worker.find(client)) {
    context_.complain(*connection, errorReply(kMessageTooLong, kMessageTooLongText));
  }
}

void CommandClients::join(Connection& connection, std::string_view group) {
  if (groups_.isMember(connection, group)) return;
  const std::size_t groupsMax = context_.settings.groupsPerClientMax;
  if (groups_.groupCount(connection) >= groupsMax) {
    return context_.complain(
        connection, errorReply("too_many_groups",
                               "a client may be in " + std::to_string(groupsMax) + " groups"));
  }
  groups_.join(connection, group);
}

}  // namespace stormo::server
