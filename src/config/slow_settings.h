#pragma once

#include <stormo/slow_policy.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The rules for slow clients in the settings: `--slow 'ticker.*=latest:100'`, and the tables
/// [[slow]] of the file.
namespace stormo::config {

inline constexpr std::string_view kSlowRuleForm =
    "PATTERN=POLICY with the policy disconnect, drop-oldest, drop-newest, latest or latest:MS "
    "(1 to 3600000 milliseconds)";
inline constexpr std::chrono::milliseconds kSlowEveryMax{3'600'000};

/// "disconnect", "drop-oldest", "drop-newest" or "latest".
[[nodiscard]] std::optional<SlowPolicy> slowPolicyNamed(std::string_view name);
/// The rule that a word of the command line states; nullopt if it has not kSlowRuleForm.
[[nodiscard]] std::optional<SlowRule> slowRuleIn(std::string_view word);

// State what is wrong, as a sentence. Empty: nothing is.
[[nodiscard]] std::string complaintOfSlowRule(const SlowRule& rule);
[[nodiscard]] std::string complaintOfSlowRuleCount(std::size_t count);
[[nodiscard]] std::string complaintOfSlowRules(const std::vector<SlowRule>& rules);

}  // namespace stormo::config
