#include "server/group_server.h"

namespace stormo::server {

GroupServer::GroupServer(const Settings& settings, const std::string& channelUrl,
                         const channel::BusOptions& options)
    : settings_(settings), bus_(channel::makeBus(channelUrl, options)) {
  groups_.onFirstMember = [this](std::string_view name) { bus_->subscribeGroup(name); };
  groups_.onLastMember = [this](std::string_view name) { bus_->unsubscribeGroup(name); };
  bus_->onGroupMessage = [this](std::string_view group, Message message) {
    groups_.send(group, message);
  };
  bus_->connect();
}

void GroupServer::onMessage(Connection& connection, Message message) {
  GroupRequest request;
  const GroupError error = decoder_.decode(message.data, request);
  if (error != GroupError::None) return complain(connection, codeName(error), decoder_.detail());
  if (Client* client = connection.stateOrNull<Client>()) client->badInARow = 0;
  switch (request.command) {
    case GroupCommand::AddGroup:
      return join(connection, request.group);
    case GroupCommand::LeaveGroup:
      groups_.leave(connection, request.group);
      return;
    case GroupCommand::SendToGroup:
      return send(connection, request);
  }
}

void GroupServer::join(Connection& connection, std::string_view group) {
  if (groups_.isMember(connection, group)) return;
  if (groups_.groupCount(connection) >= settings_.groupsPerClientMax) {
    return complain(
        connection, "too_many_groups",
        "a client may be in " + std::to_string(settings_.groupsPerClientMax) + " groups");
  }
  groups_.join(connection, group);
}

void GroupServer::send(Connection& connection, const GroupRequest& request) {
  const auto status = bus_->publishToGroup(request.group, request.message);
  if (status == channel::PublishStatus::Accepted) return;
  complain(connection, "channel_full", "the message was not sent: too much waits for the Channel");
}

void GroupServer::complain(Connection& connection, std::string_view code,
                           std::string_view message) {
  connection.send(errorReply(code, message));
  if (++connection.state<Client>().badInARow >= settings_.badCommandsMax) {
    connection.close(CloseCode::PolicyViolation, "too many bad commands");
  }
}

}  // namespace stormo::server
