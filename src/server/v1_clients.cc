#include "server/v1_clients.h"

#include <algorithm>
#include <utility>

#include "protocol/client/v1_message.h"

namespace stormo::server {
namespace {

auto joinOf(Client& client, std::string_view group) {
  return std::ranges::find(client.joins, group, &Client::Join::group);
}

/// What the answer has cost, also if nobody waits for it any more.
std::size_t bytesOf(const HistoryReply& reply) {
  std::size_t bytes = 0;
  for (const GroupMessage& each : reply.messages) {
    bytes += each.group.size() + each.message.data.size();
  }
  return bytes;
}

}  // namespace

V1Clients::V1Clients(const ServerContext& context)
    : context_(context), joins_(context.worker, context.settings) {
  context_.interest.follow(groups_);
  joins_.ask = [this](ConnectionId client, const Client::Join& join) { ask(client, join); };
}

void V1Clients::onMessage(Connection& connection, Client& client, Message message) {
  v1::Request request;
  const CommandError error = decoder_.decode(message.data, request);
  if (error != CommandError::None) {
    return refuse(connection, request.id, codeName(error), decoder_.detail());
  }
  client.badInARow = 0;
  switch (request.command) {
    case v1::Command::Join:
      return join(connection, client, request);
    case v1::Command::Leave:
      return leave(connection, client, request);
    case v1::Command::Send:
      return send(connection, client, request);
    case v1::Command::Session:
      client.session = request.session;
      client.lastSend = 0;
      return replyOk(connection, request.id);
    case v1::Command::Ping:
      if (!request.pong.empty()) return ServerContext::reply(connection, request.pong);
      return replyOk(connection, request.id);
  }
}

void V1Clients::join(Connection& connection, Client& client, const v1::Request& request) {
  if (groups_.isMember(connection, request.group) ||
      joinOf(client, request.group) != client.joins.end()) {
    return refuse(connection, request.id, "already_joined", "this client is a member already");
  }
  const std::size_t groupsMax = context_.settings.groupsPerClientMax;
  if (groups_.groupCount(connection) + client.joins.size() >= groupsMax) {
    return refuse(connection, request.id, "too_many_groups",
                  "a client may be in " + std::to_string(groupsMax) + " groups");
  }
  client.joins.push_back(
      {.id = request.id, .group = std::string(request.group), .seen = request.seen});
  joins_.add(connection, client);
}

void V1Clients::ask(ConnectionId id, const Client::Join& join) {
  // Subscribed before it is asked: what is said after the answer comes behind it.
  context_.interest.add(join.group);
  context_.bus.requestHistory(join.group, join.seen.value_or(Position{}),
                              [this, id, join](const HistoryReply& reply) {
                                onHistoryReply(id, join, reply);
                                context_.interest.remove(join.group);
                                joins_.done(id, join, bytesOf(reply));
                              });
}

void V1Clients::onHistoryReply(ConnectionId id, const Client::Join& join,
                               const HistoryReply& reply) {
  Connection* connection = context_.worker.find(id);
  if (connection == nullptr) return;
  Client& client = connection->state<Client>();
  const auto pending = joinOf(client, join.group);
  if (pending == client.joins.end() || pending->id != join.id) return;  // it has left meanwhile
  client.joins.erase(pending);

  SendStatus status = SendStatus::Queued;
  for (const GroupMessage& missed : reply.messages) {
    text_.clear();
    v1::appendMessage(missed.group, missed.offset, missed.message, text_);
    status = connection->send(text_);
    if (status != SendStatus::Queued) break;
  }
  text_.clear();
  v1::appendJoined(join.id, reply.position, join.seen ? std::optional(reply.isWhole) : std::nullopt,
                   text_);
  if (status == SendStatus::Queued) status = connection->send(text_);
  // As a member whose queue overflows: it must not miss messages unknowingly.
  if (status == SendStatus::Full) {
    connection->destroy();
  } else {
    groups_.join(*connection, join.group);
  }
}

void V1Clients::leave(Connection& connection, Client& client, const v1::Request& request) {
  const auto pending = joinOf(client, request.group);
  if (pending != client.joins.end()) {
    text_.clear();
    v1::appendError(pending->id, "left", "a leave came before the join was done", text_);
    ServerContext::reply(connection, text_);
    client.joins.erase(pending);
  } else if (!groups_.leave(connection, request.group)) {
    return refuse(connection, request.id, "not_joined", "this client is no member");
  }
  replyOk(connection, request.id);
}

void V1Clients::send(Connection& connection, Client& client, const v1::Request& request) {
  if (client.session != 0 && request.id <= client.lastSend) {
    return refuse(connection, request.id, "id_not_greater",
                  "in a session each send has a greater id than the one before");
  }
  client.lastSend = request.id;
  context_.publishing.publish(connection, {.group = request.group,
                                           .message = request.message,
                                           .send = {client.session, request.id},
                                           .request = request.id});
}

void V1Clients::onSent(ConnectionId client, std::uint64_t request) {
  if (Connection* connection = context_.worker.find(client)) replyOk(*connection, request);
}

void V1Clients::onRefused(ConnectionId client, std::uint64_t request) {
  if (Connection* connection = context_.worker.find(client)) {
    refuse(*connection, request, kMessageTooLong, kMessageTooLongText);
  }
}

void V1Clients::onGroupMessage(const GroupMessage& said) {
  if (groups_.memberCount(said.group) == 0) return;
  text_.clear();
  v1::appendMessage(said.group, said.offset, said.message, text_);
  groups_.send(said.group, text_);
}

void V1Clients::onChannel() {
  const std::uint64_t epoch = context_.bus.position().epoch;
  const std::uint64_t last = std::exchange(epoch_, epoch);
  if (last == 0 || last == epoch) return;
  context_.interest.forEachGroup([this](std::string_view group) { tellPosition(group); });
}

void V1Clients::tellPosition(std::string_view group) {
  if (groups_.memberCount(group) == 0) return;
  text_.clear();
  v1::appendPosition(group, context_.bus.position(), text_);
  groups_.send(group, text_);
}

void V1Clients::replyOk(Connection& connection, std::uint64_t request) {
  text_.clear();
  v1::appendOk(request, text_);
  ServerContext::reply(connection, text_);
}

void V1Clients::refuse(Connection& connection, std::uint64_t request, std::string_view code,
                       std::string_view message) {
  text_.clear();
  v1::appendError(request, code, message, text_);
  context_.complain(connection, text_);
}

}  // namespace stormo::server
