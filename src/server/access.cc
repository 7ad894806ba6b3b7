#include <stormo/access.h>

#include "server/access_control.h"

namespace stormo {

std::string_view userOf(Connection& client) {
  const access::Token* const token = server::AccessControl::tokenOf(client);
  return token == nullptr ? std::string_view() : std::string_view(token->user);
}

std::string_view infoOf(Connection& client) {
  const access::Token* const token = server::AccessControl::tokenOf(client);
  return token == nullptr ? std::string_view() : std::string_view(token->info);
}

}  // namespace stormo
