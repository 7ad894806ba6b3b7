#include "config/slow_settings.h"

#include <charconv>

#include "base/counters.h"

namespace stormo::config {

std::optional<SlowPolicy> slowPolicyNamed(std::string_view name) {
  if (name == "disconnect") return SlowPolicy::Disconnect;
  if (name == "drop-oldest") return SlowPolicy::DropOldest;
  if (name == "drop-newest") return SlowPolicy::DropNewest;
  if (name == "latest") return SlowPolicy::Latest;
  return std::nullopt;
}

std::optional<SlowRule> slowRuleIn(std::string_view word) {
  const std::size_t sign = word.rfind('=');  // a pattern may contain others
  if (sign == word.npos || sign == 0) return std::nullopt;
  SlowRule rule{.groups = std::string(word.substr(0, sign))};
  std::string_view policy = word.substr(sign + 1);
  constexpr std::string_view kLatestEvery = "latest:";
  if (policy.starts_with(kLatestEvery)) {
    std::int64_t every = 0;
    const std::string_view number = policy.substr(kLatestEvery.size());
    const char* const last = number.data() + number.size();
    const auto [end, errc] = std::from_chars(number.data(), last, every);
    if (errc != std::errc{} || end != last || every < 1 || every > kSlowEveryMax.count()) {
      return std::nullopt;
    }
    rule.every = std::chrono::milliseconds(every);
    policy = "latest";
  }
  const auto named = slowPolicyNamed(policy);
  if (!named) return std::nullopt;
  rule.policy = *named;
  return rule;
}

std::string complaintOfSlowRule(const SlowRule& rule) {
  if (rule.groups.empty()) return "this [[slow]] has no pattern of groups: groups = \"ticker.*\"";
  if (rule.every.count() > 0 && rule.policy != SlowPolicy::Latest) {
    return "'slow.every-ms' needs policy = \"latest\": '" + rule.groups + "'";
  }
  return {};
}

std::string complaintOfSlowRuleCount(std::size_t count) {
  if (count <= Counters::kSlowRulesMax) return {};
  return "must be at most " + std::to_string(Counters::kSlowRulesMax) + " rules";
}

std::string complaintOfSlowRules(const std::vector<SlowRule>& rules) {
  for (const SlowRule& rule : rules) {
    if (std::string wrong = complaintOfSlowRule(rule); !wrong.empty()) return wrong;
  }
  return complaintOfSlowRuleCount(rules.size());
}

}  // namespace stormo::config
