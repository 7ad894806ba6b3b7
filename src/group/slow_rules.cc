#include "group/slow_rules.h"

#include <algorithm>
#include <stdexcept>

#include "base/name_pattern.h"
#include "event/call_handler.h"

namespace stormo::group {
namespace {

/// The counters of a rule, which all Groups of a process with this rule share, and the processes
/// that follow it. Null if the process has too many different rules.
SlowRuleCounters* countersOf(const SlowRule& rule, Counters& counters) {
  const std::string_view text =
      std::string_view(rule.groups).substr(0, SlowRuleCounters::kTextBytes - 1);
  const auto policy = static_cast<std::uint64_t>(rule.policy);
  const auto everyMs = static_cast<std::uint64_t>(rule.every.count());
  for (SlowRuleCounters& each : counters.slowRules) {
    if (!each.isUsed.load(std::memory_order_relaxed)) {
      text.copy(each.groups, text.size());
      each.policy.set(policy);
      each.everyMs.set(everyMs);
      each.isUsed.store(true, std::memory_order_release);
      return &each;
    }
    if (each.groups == text && each.policy.get() == policy && each.everyMs.get() == everyMs) {
      return &each;
    }
  }
  return nullptr;
}

void check(const SlowRule& rule) {
  if (rule.groups.empty()) throw std::invalid_argument("a SlowRule has an empty pattern of groups");
  if (rule.every.count() < 0 || (rule.every.count() > 0 && rule.policy != SlowPolicy::Latest)) {
    throw std::invalid_argument("SlowRule::every is a time for SlowPolicy::Latest: '" +
                                rule.groups + "'");
  }
}

}  // namespace

void SlowGroup::onDropped() {
  if (counters_ != nullptr) counters_->dropped.add();
}

std::string SlowGroup::notice(std::uint64_t missed) const {
  std::string text;
  if (missed_ != nullptr) callHandler("missed", [&] { text = (*missed_)(name_, missed); });
  return text;
}

void SlowGroup::onConflated(std::uint64_t messages) {
  if (counters_ != nullptr) counters_->conflated.add(messages);
}

void SlowGroup::onDisconnected(Handle connection) {
  if (counters_ == nullptr) return;
  // A member of several groups of a rule is reported by all of them, one after the other.
  static thread_local const SlowRuleCounters* lastRule = nullptr;
  static thread_local Handle lastConnection;
  if (lastRule == counters_ && lastConnection == connection) return;
  lastRule = counters_;
  lastConnection = connection;
  counters_->disconnected.add();
}

SlowRules::SlowRules(std::vector<SlowRule> rules, Groups::MissedMessage missed)
    : rules_(std::move(rules)) {
  if (rules_.size() > Counters::kSlowRulesMax) {
    throw std::invalid_argument("Groups::setSlowRules() takes at most " +
                                std::to_string(Counters::kSlowRulesMax) + " rules");
  }
  for (const SlowRule& each : rules_) check(each);
  if (missed) missed_ = std::make_shared<const Groups::MissedMessage>(std::move(missed));
}

std::shared_ptr<SlowGroup> SlowRules::find(std::string_view name, Counters& counters) const {
  const auto rule = std::ranges::find_if(
      rules_, [&](const SlowRule& each) { return matchesPattern(each.groups, name); });
  if (rule == rules_.end()) return nullptr;
  return std::make_shared<SlowGroup>(std::string(name), *rule, missed_,
                                     countersOf(*rule, counters));
}

}  // namespace stormo::group
