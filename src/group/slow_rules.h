#pragma once

#include <stormo/groups.h>
#include <stormo/slow_policy.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/handle_table.h"
#include "net/lossy_source.h"

namespace stormo::group {

/// The rule of one group for its slow members, and what it counts. Outlives the group while
/// messages of it are held for a member.
class SlowGroup final : public net::LossySource {
 public:
  using Missed = std::shared_ptr<const Groups::MissedMessage>;

  /// `missed` may be null. `counters` must outlive this; null: nothing is counted.
  SlowGroup(std::string name, SlowRule rule, Missed missed, SlowRuleCounters* counters)
      : name_(std::move(name)),
        rule_(std::move(rule)),
        missed_(std::move(missed)),
        counters_(counters) {}

  [[nodiscard]] const SlowRule& rule() const { return rule_; }

  [[nodiscard]] SlowPolicy policy() const override { return rule_.policy; }
  void onDropped() override;
  [[nodiscard]] bool hasNotice() const override { return missed_ != nullptr; }
  /// An exception of the program is logged; then it is empty.
  [[nodiscard]] std::string notice(std::uint64_t missed) const override;

  void onConflated(std::uint64_t messages);
  /// A member is closed because it does not drain.
  void onDisconnected(Handle connection);

 private:
  const std::string name_;
  const SlowRule rule_;
  const Missed missed_;
  SlowRuleCounters* const counters_;
};

/// The rules of one Groups.
class SlowRules {
 public:
  /// Throws as Groups::setSlowRules().
  SlowRules(std::vector<SlowRule> rules, Groups::MissedMessage missed);

  /// The rule of a new group, which is counted into `counters`. Null if none matches.
  [[nodiscard]] std::shared_ptr<SlowGroup> find(std::string_view name, Counters& counters) const;

 private:
  std::vector<SlowRule> rules_;
  SlowGroup::Missed missed_;
};

}  // namespace stormo::group
