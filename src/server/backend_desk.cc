#include "server/backend_desk.h"

#include <fmt/format.h>
#include <stormo/log.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/control.h"

namespace stormo::server {
namespace {

using access::Revocations;

// Lines on malformed events, which may come in any number.
constexpr std::chrono::seconds kBetweenLines{10};

std::optional<Revocations::Entry> revocationOf(const Value& data, std::string& wrong) {
  const std::string user = data["user"].text();
  const std::string token = data["token"].text();
  const Value& issuedBefore = data["issued_before"];
  Revocations::Entry entry{.of = token.empty() ? Revocations::Of::User : Revocations::Of::Token,
                           .name = user.empty() ? token : user,
                           .until = data["until"].asInt()};
  if (user.empty() == token.empty()) {
    wrong = "exactly one of user and token must be given";
  } else if (entry.name.size() > Revocations::kNameBytesMax) {
    wrong = "user and token must not be longer than 1024 bytes";
  } else if (!data["until"].isInt()) {
    wrong = "until must be an integer, in seconds since 1970";
  } else if (!issuedBefore.isNull() && !issuedBefore.isInt()) {
    wrong = "issued_before must be an integer, in seconds since 1970";
  } else {
    if (issuedBefore.isInt()) entry.issuedBefore = issuedBefore.asInt();
    return entry;
  }
  return std::nullopt;
}

}  // namespace

void BackendDesk::onCommand(const Value& data) {
  std::string wrong;
  const auto command = commandOf(data, wrong);
  if (!command) return logMalformed(kControlEvent, wrong);
  switch (command->what) {
    case BackendCommand::What::Join:
      return join(*command);
    case BackendCommand::What::Leave:
      return leave(*command);
    case BackendCommand::What::Disconnect:
      return context_.audiences.forEach(
          command->who, [&](Connection& client) { client.close(command->code, command->reason); });
    case BackendCommand::What::Info:
      return setInfo(*command);
  }
}

void BackendDesk::join(const BackendCommand& command) {
  Join join{.group = command.group, .clients = {}};
  context_.audiences.forEach(command.who, [&](Connection& client) {
    const Groups& groups = isOfV1(client) ? v1Clients_.groups() : commandClients_.groups();
    if (!groups.isMember(client, command.group)) join.clients.push_back(client.id());
  });
  if (join.clients.empty()) return;
  // What comes after the command may come before the subscription: it is in the reply.
  const Position since = context_.channel.position();
  joins_.push_back(std::move(join));
  context_.channel.subscribeGroup(command.group);
  context_.channel.requestHistory(command.group, since,
                                  [this, since, join = std::prev(joins_.end())](
                                      const HistoryReply& reply) { endJoin(join, since, reply); });
}

void BackendDesk::endJoin(std::list<Join>::iterator join, Position since,
                          const HistoryReply& reply) {
  for (const ConnectionId id : join->clients) endJoin(id, join->group, since, reply);
  for (const Join::Leaving& each : join->leaving) {
    HistoryReply until = reply;
    until.position.offset = each.offset;
    std::erase_if(until.messages,
                  [&](const GroupMessage& message) { return message.offset > each.offset; });
    if (endJoin(each.client, join->group, since, until)) leave(each.client, join->group);
  }
  context_.channel.unsubscribeGroup(join->group);
  joins_.erase(join);
}

bool BackendDesk::endJoin(ConnectionId id, std::string_view group, Position since,
                          const HistoryReply& reply) {
  Connection* const client = context_.worker.find(id);
  if (client == nullptr) return false;
  return isOfV1(*client) ? v1Clients_.joinByBackend(*client, group, since, reply)
                         : commandClients_.joinByBackend(*client, group, reply);
}

void BackendDesk::leave(const BackendCommand& command) {
  const std::uint64_t offset = context_.channel.position().offset;
  context_.audiences.forEach(command.who, [&](Connection& client) {
    bool isFirst = true;  // of several joins only the first one has an effect
    for (Join& each : joins_) {
      if (each.group != command.group || std::erase(each.clients, client.id()) == 0) continue;
      if (std::exchange(isFirst, false)) each.leaving.push_back({client.id(), offset});
    }
    leave(client.id(), command.group);
  });
}

void BackendDesk::leave(ConnectionId id, std::string_view group) {
  Connection* const client = context_.worker.find(id);
  if (client == nullptr) return;
  if (isOfV1(*client)) {
    v1Clients_.leaveByBackend(*client, group);
  } else {
    commandClients_.leave(*client, group);
  }
}

void BackendDesk::setInfo(const BackendCommand& command) {
  context_.audiences.forEach(command.who, [&](Connection& client) {
    client.state<InfoOfBackend>().text = command.info;
    if (isOfV1(client)) v1Clients_.sendInfo(client);
  });
}

void BackendDesk::onRevocation(const Value& data) {
  std::string wrong;
  const auto entry = revocationOf(data, wrong);
  if (!entry) return logMalformed(kRevocationEvent, wrong);
  const access::UnixSeconds now = context_.access.clock();
  if (!revocations_.add(*entry, now)) {
    log::error(fmt::format(
        "too many revocations: the one that ends first is forgotten early revocations={}",
        revocations_.size()));
  }
  if (entry->until <= now) return;
  const auto closeIfRevoked = [&](const access::Token& token, ConnectionId id) {
    if (!Revocations::revokes(*entry, token)) return;
    if (Connection* const client = context_.worker.find(id)) {
      client->close(kUnauthorized, kRevokedText);
    }
  };
  const std::string_view first =
      entry->of == Revocations::Of::User ? std::string_view(entry->name) : std::string_view();
  context_.audiences.users().forEachFrom(first, [&](const access::Token& token, ConnectionId id) {
    const bool isOther = entry->of == Revocations::Of::User && token.user != entry->name;
    if (!isOther) closeIfRevoked(token, id);
    return !isOther;
  });
}

void BackendDesk::logMalformed(std::string_view event, std::string_view wrong) {
  ++malformed_;
  const EventLoop::TimePoint now = EventLoop::current().now();
  if (loggedAt_ != EventLoop::TimePoint{} && now - loggedAt_ < kBetweenLines) return;
  loggedAt_ = now;
  log::warning(fmt::format("a malformed event of the backend was dropped: {} event={} dropped={}",
                           wrong, event, malformed_));
}

}  // namespace stormo::server
