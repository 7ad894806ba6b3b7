#include "server/command_clients.h"

#include <fmt/format.h>

#include <string>

namespace stormo::server {

void CommandClients::onMessage(Connection& client, Message message) {
  GroupRequest request;
  const CommandError error = decoder_.decode(message.data, request);
  if (error == CommandError::UnknownCommand && context_.isOwnCommand(client, message.data)) return;
  if (error != CommandError::None) return replyError(client, codeName(error), decoder_.detail());
  if (auto* state = client.stateOrNull<ClientState>()) state->badInARow = 0;
  switch (request.command) {
    case GroupCommand::AddGroup:
      return join(client, request.group);
    case GroupCommand::LeaveGroup:
      return leave(client, request.group);
    case GroupCommand::SendToGroup:
      return send(client, request.group, request.message);
    case GroupCommand::Refresh:
      if (context_.access.waitsForKey(client, request.token, message)) return;
      return refresh(client, request.token);
    case GroupCommand::Ping:
      return ServerContext::reply(client, request.pong);
  }
}

void CommandClients::join(Connection& client, std::string_view group) {
  if (groups_.isMember(client, group)) return;
  if (!context_.hasRoomForGroup(groups_.groupCount(client))) {
    return replyError(client, kTooManyGroups, context_.tooManyGroupsText());
  }
  if (!context_.mayJoin(client, group)) return replyError(client, kForbidden, kForbiddenJoin);
  if (groups_.join(client, group)) context_.joined(client, group);
}

void CommandClients::leave(Connection& client, std::string_view group) {
  if (groups_.leave(client, group)) context_.left(client, group);
}

void CommandClients::send(Connection& client, std::string_view group, std::string_view message) {
  if (!context_.maySend(client, group, message)) {
    return replyError(client, kForbidden, kForbiddenSend);
  }
  context_.publisher.publish(client, {.group = group, .message = message});
}

void CommandClients::refresh(Connection& client, std::string_view token) {
  const std::string problem = context_.access.refresh(client, token);
  if (!problem.empty()) return replyError(client, kInvalidToken, problem);
  joinGroupsOf(client);
}

void CommandClients::joinGroupsOf(Connection& client) {
  const access::Token* const token = AccessControl::tokenOf(client);
  if (token == nullptr) return;
  for (const std::string& group : token->groups) join(client, group);
}

void CommandClients::onExpiring(Connection& client, std::chrono::seconds left) {
  ServerContext::reply(client, fmt::format(R"({{"cmd":"expiring","seconds":{}}})", left.count()));
}

void CommandClients::onRefused(ConnectionId id) {
  if (Connection* client = context_.worker.find(id)) {
    replyError(*client, kMessageTooLong, kMessageTooLongText);
  }
}

void CommandClients::replyError(Connection& client, std::string_view code, std::string_view text) {
  const std::string reply = errorReply(code, text);
  code == kForbidden ? context_.replyRefusal(client, reply) : context_.replyError(client, reply);
}

}  // namespace stormo::server
