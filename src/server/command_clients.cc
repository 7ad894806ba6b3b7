#include "server/command_clients.h"

#include <fmt/format.h>
#include <stormo/event_loop.h>

#include <string>
#include <utility>
#include <vector>

namespace stormo::server {
namespace {

constexpr std::string_view kEverybody = "all";  // the only group of everybody_
constexpr std::chrono::seconds kDismissal{10};

}  // namespace

CommandClients::CommandClients(const ServerContext& context) : context_(context) {
  groups_.setSlowRules(context.options.slowRules);
  groups_.onFirstMember = [this](std::string_view group) {
    context_.channel.subscribeGroup(group);
  };
  groups_.onLastMember = [this](std::string_view group) {
    context_.channel.unsubscribeGroup(group);
  };
}

CommandClients::~CommandClients() {
  if (dismissal_ != 0 && EventLoop::currentOrNull() != nullptr) Timer::cancel(dismissal_);
}

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
    case GroupCommand::WhoAmI:
      if (context_.isOwnCommand(client, message.data)) return;  // a program may have one
      return ServerContext::reply(client, whoAmIReply(clientIdOf(client), userOf(client)));
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
  onAdmitted(client, context_.audiences.admit(client));
}

void CommandClients::onAdmitted(Connection& client, bool hasNewUser) {
  if (dismissal_ != 0 && context_.audiences.isAdmitted(client)) {
    everybody_.join(client, kEverybody);
  }
  // Counted: as often as the user has clients of this protocol.
  if (hasNewUser) {
    context_.channel.subscribeGroup(Audience::user(userOf(client)).channelName());
  }
  joinGroupsOf(client);
}

void CommandClients::onClose(Connection& client, bool hadUser) {
  if (!hadUser) return;
  context_.channel.unsubscribeGroup(Audience::user(userOf(client)).channelName());
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

void CommandClients::onGroupMessage(const GroupMessage& message) {
  sendTo(groups_, message.group, message);
}

void CommandClients::onAudienceMessage(const GroupMessage& message) {
  const auto audience = Audience::ofName(message.group);
  if (!audience) return;
  if (audience->kind() == Audience::Kind::Everybody) {
    gatherEverybody();
    sendTo(everybody_, kEverybody, message);
  } else if (audience->kind() == Audience::Kind::User) {
    context_.audiences.forEach(*audience, [&](Connection& client) {
      if (isOfV1(client) || Audiences::isExcepted(client, message.except)) return;
      deliver(client, message);
    });
  }
}

void CommandClients::sendTo(Groups& groups, std::string_view name, const GroupMessage& message) {
  if (message.except.empty()) {
    groups.send(name, message.message);
  } else if (groups.memberCount(name) > 0) {
    groups.sendExcept(name, message.message, context_.audiences.excepted(message.except));
  }
}

void CommandClients::gatherEverybody() {
  isEverybodyUsed_ = true;
  if (dismissal_ != 0) return;
  dismissal_ = Timer::add(kDismissal, [this] { dismissEverybody(); });
  context_.audiences.forEach(Audience::everybody(), [this](Connection& client) {
    if (!isOfV1(client)) everybody_.join(client, kEverybody);
  });
}

void CommandClients::dismissEverybody() {
  if (std::exchange(isEverybodyUsed_, false)) return;
  Timer::cancel(std::exchange(dismissal_, 0));
  std::vector<Connection*> members;
  everybody_.forEachMember(kEverybody, [&](Connection& client) { members.push_back(&client); });
  for (Connection* const client : members) everybody_.leave(*client, kEverybody);
}

bool CommandClients::joinByBackend(Connection& client, std::string_view group,
                                   const HistoryReply& reply) {
  if (groups_.isMember(client, group) || !context_.hasRoomForGroup(groups_.groupCount(client))) {
    return false;
  }
  for (const GroupMessage& missed : reply.messages) {
    if (Audiences::isExcepted(client, missed.except)) continue;
    deliver(client, missed);
  }
  if (!groups_.join(client, group)) return false;
  context_.joined(client, group);
  return true;
}

void CommandClients::replyError(Connection& client, std::string_view code, std::string_view text) {
  const std::string reply = errorReply(code, text);
  code == kForbidden ? context_.replyRefusal(client, reply) : context_.replyError(client, reply);
}

}  // namespace stormo::server
