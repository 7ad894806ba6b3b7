#include "server/audiences.h"

#include <optional>

#include "access/client_id.h"

namespace stormo::server {
namespace {

/// Calls `visit(const Audience&)` for each.
template <typename Visit>
void forEachExcepted(std::string_view except, const Visit& visit) {
  while (!except.empty()) {
    const auto bytes = static_cast<unsigned char>(except.front());
    except.remove_prefix(1);
    if (bytes > except.size()) return;
    if (const auto audience = Audience::ofName(except.substr(0, bytes))) visit(*audience);
    except.remove_prefix(bytes);
  }
}

}  // namespace

bool Audiences::admit(Connection& client) {
  const access::Token* const token = AccessControl::tokenOf(client);
  return token != nullptr && users_.add(client.id(), *token);
}

bool Audiences::remove(Connection& client) {
  const access::Token* const token = AccessControl::tokenOf(client);
  return token != nullptr && users_.remove(client.id(), *token);
}

Connection* Audiences::clientOf(std::string_view id) const {
  const auto connection = access::clientIds().connectionOf(id);
  Connection* const client = connection ? worker_.find(*connection) : nullptr;
  return client != nullptr && client->isOpen() ? client : nullptr;
}

void Audiences::forEach(const Audience& audience,
                        const std::function<void(Connection&)>& visit) const {
  switch (audience.kind()) {
    case Audience::Kind::Group:
      return;
    case Audience::Kind::User:
      return users_.forEachClientOf(audience.id(), [&](ConnectionId id) {
        Connection* const client = worker_.find(id);
        if (client != nullptr && client->isOpen()) visit(*client);
      });
    case Audience::Kind::Client:
      if (Connection* const client = clientOf(audience.id())) visit(*client);
      return;
    case Audience::Kind::Everybody:
      return worker_.forEachConnection([&](Connection& client) {
        if (isAdmitted(client)) visit(client);
      });
  }
}

std::vector<Connection*> Audiences::excepted(std::string_view except) const {
  std::vector<Connection*> clients;
  forEachExcepted(except, [&](const Audience& audience) {
    if (audience.kind() == Audience::Kind::Everybody) return;
    forEach(audience, [&](Connection& client) { clients.push_back(&client); });
  });
  return clients;
}

bool Audiences::isExcepted(Connection& client, std::string_view except) {
  bool isExcepted = false;
  forEachExcepted(except, [&](const Audience& audience) {
    if (audience.kind() == Audience::Kind::User) {
      isExcepted |= audience.id() == userOf(client);
    } else if (audience.kind() == Audience::Kind::Client) {
      isExcepted |= audience.id() == clientIdOf(client);
    }
  });
  return isExcepted;
}

}  // namespace stormo::server
