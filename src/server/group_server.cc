#include "server/group_server.h"

namespace stormo::server {

GroupServer::GroupServer(Worker& worker, const Settings& settings, const std::string& channelUrl,
                         const channel::BusOptions& options)
    : worker_(worker), settings_(settings), bus_(channel::makeBus(channelUrl, options)) {
  groups_.onFirstMember = [this](std::string_view name) { bus_->subscribeGroup(name); };
  groups_.onLastMember = [this](std::string_view name) { bus_->unsubscribeGroup(name); };
  bus_->onGroupMessage = [this](std::string_view group, Message message) {
    groups_.send(group, message);
  };
  bus_->onDrain = [this] { sendWaiting(); };
  bus_->onGap = [this] { onGap(); };
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
  if (waiting_.empty() &&
      bus_->publishToGroup(request.group, request.message) == channel::PublishStatus::Accepted) {
    return;
  }
  connection.pauseRecv();
  waiting_.push_back({.client = connection.id(),
                      .group = std::string(request.group),
                      .message = std::string(request.message)});
}

void GroupServer::sendWaiting() {
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    const auto status = bus_->publishToGroup(first.group, first.message);
    if (status != channel::PublishStatus::Accepted) return;
    if (Connection* client = worker_.find(first.client)) client->resumeRecv();
    waiting_.pop_front();
  }
}

void GroupServer::onGap() {
  worker_.forEachConnection([this](Connection& connection) {
    if (groups_.groupCount(connection) == 0) return;
    connection.close(CloseCode::ServiceRestart, "messages were lost, join again");
  });
}

void GroupServer::complain(Connection& connection, std::string_view code,
                           std::string_view message) {
  connection.send(errorReply(code, message));
  if (++connection.state<Client>().badInARow >= settings_.badCommandsMax) {
    connection.close(CloseCode::PolicyViolation, "too many bad commands");
  }
}

}  // namespace stormo::server
