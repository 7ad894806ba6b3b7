// What the clients of an AccessControl may do in a group.
#include <algorithm>

#include "protocol/json/text.h"
#include "server/access_control.h"

namespace stormo::server {
namespace {

bool states(const access::Token& token, access::May what, std::string_view group) {
  if (token.rights.allow(what, group)) return true;
  return what == access::May::Join && std::ranges::find(token.groups, group) != token.groups.end();
}

}  // namespace

bool AccessControl::judges(Connection& client, access::May what, std::string_view group) const {
  const access::Token* const token = tokenOf(client);
  if (!rules_) return token != nullptr && states(*token, what, group);
  const GroupRules::Verdict& verdict = rules_->of(group, token == nullptr ? "" : token->user);
  switch (what == access::May::Send ? verdict.send : verdict.join) {
    case Who::Anyone:
      return true;
    case Who::Users:
      return token != nullptr;
    case Who::Token:
      return token != nullptr && states(*token, what, group);
    case Who::Nobody:
      break;
  }
  return false;
}

std::string_view AccessControl::enclose(Connection& client, std::string_view group,
                                        std::string_view message) {
  const access::Token* const token = tokenOf(client);
  if (!rules_->of(group, token == nullptr ? "" : token->user).envelope) return message;
  envelope_ = R"({"user":)";
  if (token == nullptr) {
    envelope_ += "null";
  } else {
    appendJsonString(token->user, envelope_);
  }
  envelope_ += R"(,"message":)";
  appendJsonString(message, envelope_);
  envelope_ += '}';
  return envelope_;
}

}  // namespace stormo::server
