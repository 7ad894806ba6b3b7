#pragma once

#include <stormo/access_rule.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The rules of access in the settings: `--rule 'chat.*=join:anyone+send:users+envelope'`, and the
/// tables [[rules]] of the file.
namespace stormo::config {

inline constexpr std::size_t kRulesMax = 1000;
inline constexpr std::string_view kWhoWords = "anyone, users, token or nobody";
inline constexpr std::string_view kRuleForm =
    "PATTERN=join:WHO+send:WHO+envelope, each part optional, with WHO anyone, users, token or "
    "nobody";

/// "anyone", "users", "token" or "nobody".
[[nodiscard]] std::optional<Who> whoNamed(std::string_view name);
/// The rule that a word of the command line states; nullopt if it has not kRuleForm.
[[nodiscard]] std::optional<AccessRule> ruleIn(std::string_view word);

// State what is wrong, as a sentence. Empty: nothing is.
[[nodiscard]] std::string complaintOfRule(const AccessRule& rule);
/// Of a rule that no group reaches, because of those before it.
[[nodiscard]] std::string complaintOfOrder(const std::vector<AccessRule>& before,
                                           const AccessRule& rule);
[[nodiscard]] std::string complaintOfRuleCount(std::size_t count);
[[nodiscard]] std::string complaintOfRules(const std::vector<AccessRule>& rules);

}  // namespace stormo::config
