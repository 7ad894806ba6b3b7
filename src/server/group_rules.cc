#include "server/group_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace stormo::server {
namespace {

bool needsKeys(Who who) { return who == Who::Users || who == Who::Token; }

void check(const AccessRule& rule, bool hasKeys) {
  if (rule.groups.empty()) throw std::invalid_argument("a rule has no pattern of groups");
  if (!rule.join && !rule.send && !rule.envelope) {
    throw std::invalid_argument(
        fmt::format("the rule '{}' states nothing: join, send or envelope", rule.groups));
  }
  if (hasKeys) return;
  for (const auto& who : {rule.join, rule.send}) {
    if (!who || !needsKeys(*who)) continue;
    throw std::invalid_argument(fmt::format(
        "the rule '{}' is for clients with tokens, which need a key (see [access])", rule.groups));
  }
  if (access::UserPattern::hasPlace(rule.groups)) {
    throw std::invalid_argument(
        fmt::format("the rule '{}' is for clients with a user, and users need a key of tokens (see "
                    "[access])",
                    rule.groups));
  }
}

}  // namespace

GroupRules::GroupRules(const std::vector<AccessRule>& rules, bool hasKeys)
    : otherwise_{.join = hasKeys ? Who::Token : Who::Anyone,
                 .send = hasKeys ? Who::Token : Who::Anyone},
      allowAnyone_(!hasKeys) {
  for (const AccessRule& rule : rules) {
    check(rule, hasKeys);
    const Verdict verdict{.join = rule.join.value_or(otherwise_.join),
                          .send = rule.send.value_or(otherwise_.send),
                          .envelope = rule.envelope};
    allowAnyone_ |= verdict.join == Who::Anyone || verdict.send == Who::Anyone;
    haveEnvelopes_ |= verdict.envelope;
    rules_.push_back({.groups = access::UserPattern(rule.groups), .verdict = verdict});
  }
}

const GroupRules::Verdict& GroupRules::of(std::string_view group, std::string_view user) const {
  const auto found = std::ranges::find_if(
      rules_, [&](const Rule& rule) { return rule.groups.matches(group, user); });
  return found == rules_.end() ? otherwise_ : found->verdict;
}

}  // namespace stormo::server
