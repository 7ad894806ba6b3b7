#include "server/v1_clients.h"

#include <algorithm>
#include <utility>

#include "protocol/client/v1_message.h"

namespace stormo::server {
namespace {

auto joinOf(ClientState& state, std::string_view group) {
  return std::ranges::find(state.joins, group, &ClientState::Join::group);
}

v1::Admission admissionOf(const access::Token& token, std::string_view client) {
  return {.client = client, .user = token.user, .groups = token.groups, .expires = token.expires};
}

/// The name of what the request is about in the Channel; empty if the client has no user.
std::string nameOf(Connection& client, const v1::Request& request) {
  switch (request.to) {
    case v1::To::Group:
      return std::string(request.group);
    case v1::To::User:
      return userOf(client).empty() ? std::string() : Audience::user(userOf(client)).channelName();
    case v1::To::Everybody:
      return Audience::everybody().channelName();
  }
  return {};
}

/// Bytes of the replay.
std::size_t bytesOf(const HistoryReply& reply) {
  std::size_t bytes = 0;
  for (const GroupMessage& each : reply.messages) {
    bytes += each.group.size() + each.message.data.size();
  }
  return bytes;
}

}  // namespace

V1Clients::V1Clients(const ServerContext& context)
    : context_(context), joins_(context.worker, context.options) {
  groups_.setSlowRules(context.options.slowRules, [](std::string_view group, std::uint64_t count) {
    std::string text;
    v1::appendMissed(group, count, text);
    return text;
  });
  groups_.onFirstMember = [this](std::string_view group) {
    context_.channel.subscribeGroup(group);
  };
  groups_.onLastMember = [this](std::string_view group) {
    context_.channel.unsubscribeGroup(group);
  };
  joins_.onTurn = [this](ConnectionId client, const ClientState::Join& join) {
    requestHistory(client, join);
  };
}

void V1Clients::onMessage(Connection& client, ClientState& state, Message message) {
  v1::Request request;
  const CommandError error = decoder_.decode(message.data, request);
  if (error == CommandError::UnknownCommand && context_.isOwnCommand(client, message.data)) return;
  if (error != CommandError::None) {
    return replyError(client, request.id, codeName(error), decoder_.detail());
  }
  state.badInARow = 0;
  switch (request.command) {
    case v1::Command::Join:
      return join(client, state, request);
    case v1::Command::Leave:
      return leave(client, state, request);
    case v1::Command::Send:
      return send(client, state, request);
    case v1::Command::Session:
      state.session = request.session;
      state.lastSend = 0;
      return replyOk(client, request.id);
    case v1::Command::Refresh:
      if (context_.access.waitsForKey(client, request.token, message)) return;
      return refresh(client, request);
    case v1::Command::WhoAmI:
      if (context_.isOwnCommand(client, message.data)) return;  // a program may have one
      return whoAmI(client, request);
    case v1::Command::Ping:
      if (!request.pong.empty()) return ServerContext::reply(client, request.pong);
      return replyOk(client, request.id);
  }
}

void V1Clients::join(Connection& client, ClientState& state, const v1::Request& request) {
  std::string name = nameOf(client, request);
  if (name.empty()) return replyError(client, request.id, kNoUser, kNoUserText);
  if (groups_.isMember(client, name) || joinOf(state, name) != state.joins.end()) {
    return replyError(client, request.id, "already_joined", "this client is a member already");
  }
  if (!context_.hasRoomForGroup(groups_.groupCount(client) + state.joins.size())) {
    return replyError(client, request.id, kTooManyGroups, context_.tooManyGroupsText());
  }
  const bool isAllowed = request.to == v1::To::Group ? context_.mayJoin(client, name)
                                                     : context_.audiences.isAdmitted(client);
  if (!isAllowed) return replyError(client, request.id, kForbidden, kForbiddenJoin);
  state.joins.push_back({.id = request.id, .group = std::move(name), .seen = request.seen});
  joins_.add(client, state);
}

void V1Clients::requestHistory(ConnectionId id, const ClientState::Join& join) {
  // Subscribed before the request: messages after its reply come after it on the link.
  context_.channel.subscribeGroup(join.group);
  context_.channel.requestHistory(join.group, join.seen.value_or(Position{}),
                                  [this, id, join](const HistoryReply& reply) {
                                    onHistoryReply(id, join, reply);
                                    context_.channel.unsubscribeGroup(join.group);
                                    joins_.done(id, join, bytesOf(reply));
                                  });
}

void V1Clients::onHistoryReply(ConnectionId id, const ClientState::Join& join,
                               const HistoryReply& reply) {
  Connection* client = context_.worker.find(id);
  if (client == nullptr) return;
  ClientState& state = client->state<ClientState>();
  const auto pending = joinOf(state, join.group);
  if (pending == state.joins.end() || pending->id != join.id) return;  // a leave came first
  state.joins.erase(pending);

  SendStatus status = replay(*client, reply);
  text_.clear();
  v1::appendJoined(join.id, reply.position, join.seen ? std::optional(reply.isWhole) : std::nullopt,
                   text_);
  if (status == SendStatus::Queued) status = client->send(text_);
  // As a member whose queue overflows: it must not miss messages without noticing.
  if (status == SendStatus::Full) {
    client->destroy();
  } else if (groups_.join(*client, join.group) && !isReservedName(join.group)) {
    context_.joined(*client, join.group);
  }
}

SendStatus V1Clients::replay(Connection& client, const HistoryReply& reply) {
  if (!reply.isWhole) return SendStatus::Queued;  // the client is told that messages are missing
  for (const GroupMessage& missed : reply.messages) {
    if (!missed.except.empty() && Audiences::isExcepted(client, missed.except)) continue;
    text_.clear();
    v1::appendMessage(missed.group, missed.offset, missed.message, text_);
    if (const SendStatus status = client.send(text_); status != SendStatus::Queued) return status;
  }
  return SendStatus::Queued;
}

bool V1Clients::joinByBackend(Connection& client, std::string_view group, Position since,
                              const HistoryReply& reply) {
  ClientState& state = client.state<ClientState>();
  if (groups_.isMember(client, group) || joinOf(state, group) != state.joins.end()) return false;
  if (!context_.hasRoomForGroup(groups_.groupCount(client) + state.joins.size())) return false;
  text_.clear();
  v1::appendJoinedByBackend(group, reply.isWhole ? since : reply.position, reply.isWhole, text_);
  SendStatus status = client.send(text_);
  if (status == SendStatus::Queued) status = replay(client, reply);
  if (status == SendStatus::Full) {
    client.destroy();
    return false;
  }
  if (!groups_.join(client, group)) return false;
  context_.joined(client, group);
  return true;
}

void V1Clients::leaveByBackend(Connection& client, std::string_view group) {
  if (cancelJoin(client, client.state<ClientState>(), group)) return;
  if (!groups_.leave(client, group)) return;
  text_.clear();
  v1::appendLeftByBackend(group, text_);
  ServerContext::reply(client, text_);
  context_.left(client, group);
}

void V1Clients::sendInfo(Connection& client) {
  text_.clear();
  v1::appendInfo(infoOf(client), text_);
  ServerContext::reply(client, text_);
}

bool V1Clients::cancelJoin(Connection& client, ClientState& state, std::string_view name) {
  const auto pending = joinOf(state, name);
  if (pending == state.joins.end()) return false;
  text_.clear();
  v1::appendError(pending->id, "left", "a leave came before the join was done", text_);
  ServerContext::reply(client, text_);
  state.joins.erase(pending);
  return true;
}

void V1Clients::leave(Connection& client, ClientState& state, const v1::Request& request) {
  const std::string name = nameOf(client, request);
  if (name.empty()) return replyError(client, request.id, kNoUser, kNoUserText);
  if (cancelJoin(client, state, name)) return replyOk(client, request.id);
  if (!groups_.leave(client, name)) {
    return replyError(client, request.id, "not_joined", "this client is no member");
  }
  replyOk(client, request.id);
  if (request.to == v1::To::Group) context_.left(client, name);
}

void V1Clients::send(Connection& client, ClientState& state, const v1::Request& request) {
  if (state.session != 0 && request.id <= state.lastSend) {
    return replyError(client, request.id, "id_not_greater",
                      "in a session each send has a greater id than the one before");
  }
  std::string_view message = request.message;
  if (!context_.maySend(client, request.group, message)) {
    return replyError(client, request.id, kForbidden, kForbiddenSend);
  }
  state.lastSend = request.id;
  context_.publisher.publish(client, {.group = request.group,
                                      .message = message,
                                      .id = {state.session, request.id},
                                      .request = request.id});
}

void V1Clients::refresh(Connection& client, const v1::Request& request) {
  const std::string problem = context_.access.refresh(client, request.token);
  if (!problem.empty()) return replyError(client, request.id, kInvalidToken, problem);
  context_.audiences.admit(client);
  text_.clear();
  v1::appendRefreshed(request.id, admissionOf(*AccessControl::tokenOf(client), clientIdOf(client)),
                      text_);
  ServerContext::reply(client, text_);
}

void V1Clients::whoAmI(Connection& client, const v1::Request& request) {
  text_.clear();
  v1::appendWhoAmI(request.id, clientIdOf(client), userOf(client), text_);
  ServerContext::reply(client, text_);
}

void V1Clients::welcome(Connection& client, const access::Token& token) {
  text_.clear();
  v1::appendWelcome(admissionOf(token, clientIdOf(client)), text_);
  ServerContext::reply(client, text_);
}

void V1Clients::onExpiring(Connection& client, std::chrono::seconds left) {
  text_.clear();
  v1::appendExpiring(left, text_);
  ServerContext::reply(client, text_);
}

void V1Clients::onSent(ConnectionId id, std::uint64_t request) {
  if (Connection* client = context_.worker.find(id)) replyOk(*client, request);
}

void V1Clients::onRefused(ConnectionId id, std::uint64_t request) {
  if (Connection* client = context_.worker.find(id)) {
    replyError(*client, request, kMessageTooLong, kMessageTooLongText);
  }
}

void V1Clients::onGroupMessage(const GroupMessage& message) {
  if (groups_.memberCount(message.group) == 0) return;
  text_.clear();
  v1::appendMessage(message.group, message.offset, message.message, text_);
  if (message.except.empty()) {
    groups_.send(message.group, text_);
  } else {
    groups_.sendExcept(message.group, text_, context_.audiences.excepted(message.except));
  }
}

void V1Clients::deliver(Connection& client, const GroupMessage& message) {
  text_.clear();
  v1::appendMessage(message.group, message.offset, message.message, text_);
  ServerContext::reply(client, text_);
}

void V1Clients::replyOk(Connection& client, std::uint64_t request) {
  text_.clear();
  v1::appendOk(request, text_);
  ServerContext::reply(client, text_);
}

void V1Clients::replyError(Connection& client, std::uint64_t request, std::string_view code,
                           std::string_view message) {
  text_.clear();
  v1::appendError(request, code, message, text_);
  code == kForbidden ? context_.replyRefusal(client, text_) : context_.replyError(client, text_);
}

}  // namespace stormo::server
