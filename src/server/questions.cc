#include "server/questions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "protocol/channel/name_page.h"
#include "protocol/client/v1_request.h"
#include "server/backend_commands.h"

namespace stormo::server {
namespace {

using channel::NamePage;

constexpr std::int64_t kLimitMax = 1000;
constexpr std::int64_t kLimit = 100;

NamePage pageOf(const Value& question, std::string pattern) {
  const std::int64_t limit = question["limit"].asInt(kLimit);
  return {std::move(pattern), question["after"].text(),
          static_cast<std::size_t>(std::clamp<std::int64_t>(limit, 1, kLimitMax))};
}

Value countsOf(NamePage& page) {
  auto [items, hasMore] = page.take();
  Value list = Value::list();
  for (NamePage::Item& each : items) {
    list.append(Value::array({{"name", std::move(each.name)}, {"clients", each.number}}));
  }
  return Value::array({{"items", std::move(list)}, {"more", hasMore}});
}

/// Calls `visit(user, clients)` for each user, from one on, until it returns false.
template <typename Visit>
void forEachUser(const UserIndex& index, std::string_view from, const Visit& visit) {
  std::string_view user;
  std::uint64_t clients = 0;
  bool goesOn = true;
  index.forEachFrom(from, [&](const access::Token& token, ConnectionId) {
    if (clients > 0 && token.user != user) goesOn = visit(user, std::exchange(clients, 0));
    user = token.user;
    ++clients;
    return goesOn;
  });
  if (goesOn && clients > 0) visit(user, clients);
}

}  // namespace

Value Questions::answer(const Value& question) const {
  const std::string_view ask = question["ask"].asString();
  if (ask == "groups") return groups(question);
  if (ask == "users") return users(question);
  if (ask == "clients") return clients(question);
  if (ask == "totals") return totals();
  return Value::array({{"error", "ask must be groups, users, clients or totals"}});
}

template <typename Visit>
void Questions::forEachGroup(const Visit& visit) const {
  const Groups& commands = commandClients_.groups();
  const Groups& v1 = v1Clients_.groups();
  v1.forEachGroup([&](std::string_view name, std::size_t members) {
    if (!isReservedName(name)) visit(name, members + commands.memberCount(name));
  });
  const bool hasV1 = v1.groupCount() > 0;
  commands.forEachGroup([&](std::string_view name, std::size_t members) {
    if (!hasV1 || v1.memberCount(name) == 0) visit(name, members);
  });
}

Value Questions::groups(const Value& question) const {
  NamePage page = pageOf(question, question["pattern"].text());
  forEachGroup([&](std::string_view name, std::size_t members) { page.offer(name, members); });
  return countsOf(page);
}

Value Questions::users(const Value& question) const {
  NamePage page = pageOf(question, question["pattern"].text());
  forEachUser(context_.audiences.users(), question["after"].text(),
              [&](std::string_view user, std::uint64_t clients) {
                page.offer(user, clients);
                return !page.isFull();
              });
  return countsOf(page);
}

Value Questions::clients(const Value& question) const {
  NamePage page = pageOf(question, {});
  const auto offer = [&](Connection& client) { page.offer(clientIdOf(client), client.id()); };
  const std::string group = question["group"].text();
  if (!group.empty()) {
    commandClients_.groups().forEachMember(group, offer);
    v1Clients_.groups().forEachMember(group, offer);
  } else {
    std::string wrong;
    const auto audience = audienceIn(question, wrong);
    if (!audience) return Value::array({{"error", wrong}});
    context_.audiences.forEach(*audience, offer);
  }
  const auto [items, hasMore] = page.take();
  Value list = Value::list();
  for (const NamePage::Item& each : items) {
    if (Connection* const client = context_.worker.find(each.number)) {
      list.append(describe(*client));
    }
  }
  return Value::array({{"items", std::move(list)}, {"more", hasMore}});
}

Value Questions::describe(Connection& client) const {
  const bool isV1 = isOfV1(client);
  std::vector<std::string> groups =
      (isV1 ? v1Clients_.groups() : commandClients_.groups()).groupsOf(client);
  std::erase_if(groups, [](const std::string& name) { return isReservedName(name); });
  std::ranges::sort(groups);
  return Value::array({{"id", clientIdOf(client)},
                       {"user", userOf(client)},
                       {"info", infoOf(client)},
                       {"address", client.remoteAddress()},
                       {"protocol", isV1 ? v1::kSubprotocol : "commands"},
                       {"connected_at", AccessControl::connectedAt(client)},
                       {"groups", Value::list(groups)}});
}

Value Questions::totals() const {
  std::uint64_t clients = 0;
  std::uint64_t users = 0;
  std::uint64_t groups = 0;
  context_.audiences.forEach(Audience::everybody(), [&](Connection&) { ++clients; });
  forEachUser(context_.audiences.users(), {}, [&](std::string_view, std::uint64_t) {
    ++users;
    return true;
  });
  forEachGroup([&](std::string_view, std::size_t) { ++groups; });
  return Value::array({{"clients", clients}, {"users", users}, {"groups", groups}});
}

}  // namespace stormo::server
