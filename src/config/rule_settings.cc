#include "config/rule_settings.h"

#include <algorithm>

namespace stormo::config {
namespace {

constexpr std::string_view kUser = "{user}";

/// A brace that is neither of `{user}` nor alone in brackets. Nothing has it: empty.
std::string_view placeholderIn(std::string_view pattern) {
  for (std::size_t at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at + 1)) {
    if (pattern.substr(at).starts_with(kUser)) continue;
    if (at > 0 && pattern[at - 1] == '[') continue;
    return pattern.substr(at, pattern.find('}', at) - at + 1);
  }
  return {};
}

}  // namespace

std::optional<Who> whoNamed(std::string_view name) {
  if (name == "anyone") return Who::Anyone;
  if (name == "users") return Who::Users;
  if (name == "token") return Who::Token;
  if (name == "nobody") return Who::Nobody;
  return std::nullopt;
}

std::optional<AccessRule> ruleIn(std::string_view word) {
  const std::size_t sign = word.rfind('=');  // a pattern may contain others
  if (sign == word.npos || sign == 0) return std::nullopt;
  AccessRule rule{.groups = std::string(word.substr(0, sign))};
  std::string_view rest = word.substr(sign + 1);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('+'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::string_view key = part.substr(0, part.find(':'));
    if (part == "envelope") {
      rule.envelope = true;
      continue;
    }
    if ((key != "join" && key != "send") || key.size() == part.size()) return std::nullopt;
    const auto who = whoNamed(part.substr(key.size() + 1));
    if (!who) return std::nullopt;
    (key == "join" ? rule.join : rule.send) = who;
  }
  return rule;
}

std::string complaintOfRule(const AccessRule& rule) {
  if (rule.groups.empty()) return "this [[rules]] has no pattern of groups: groups = \"chat.*\"";
  if (rule.groups.find('\0') != std::string::npos) return "a pattern of [[rules]] has a zero byte";
  if (const std::string_view wrong = placeholderIn(rule.groups); !wrong.empty()) {
    return "the pattern '" + rule.groups + "' has '" + std::string(wrong) +
           "', and only {user} stands for something (a brace itself is [{])";
  }
  if (!rule.join && !rule.send && !rule.envelope) {
    return "the rule '" + rule.groups + "' states nothing: join, send or envelope";
  }
  return {};
}

std::string complaintOfOrder(const std::vector<AccessRule>& before, const AccessRule& rule) {
  for (const AccessRule& earlier : before) {
    if (earlier.groups != "*" && earlier.groups != rule.groups) continue;
    return "the rule '" + rule.groups + "' has no effect, as the rule '" + earlier.groups +
           "' before it matches first";
  }
  return {};
}

std::string complaintOfRuleCount(std::size_t count) {
  if (count <= kRulesMax) return {};
  return "must be at most " + std::to_string(kRulesMax) + " rules";
}

std::string complaintOfRules(const std::vector<AccessRule>& rules) {
  if (std::string wrong = complaintOfRuleCount(rules.size()); !wrong.empty()) return wrong;
  std::vector<AccessRule> before;
  for (const AccessRule& rule : rules) {
    if (std::string wrong = complaintOfRule(rule); !wrong.empty()) return wrong;
    if (std::string wrong = complaintOfOrder(before, rule); !wrong.empty()) return wrong;
    before.push_back(rule);
  }
  return {};
}

}  // namespace stormo::config
