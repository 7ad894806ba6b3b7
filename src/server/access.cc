#include <stormo/access.h>

#include "access/client_id.h"
#include "server/access_control.h"
#include "server/client_state.h"

namespace stormo {

std::string_view userOf(Connection& client) {
  const access::Token* const token = server::AccessControl::tokenOf(client);
  return token == nullptr ? std::string_view() : std::string_view(token->user);
}

std::string clientIdOf(Connection& client) { return access::clientIds().idOf(client.id()); }

std::string_view infoOf(Connection& client) {
  if (const auto* const own = client.stateOrNull<server::InfoOfBackend>()) return own->text;
  const access::Token* const token = server::AccessControl::tokenOf(client);
  return token == nullptr ? std::string_view() : std::string_view(token->info);
}

}  // namespace stormo
