// Rules find the same groups for each user as their patterns do with the user's name in them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/group_pattern.h"
#include "base/assert.h"
#include "base/name_pattern.h"
#include "server/group_rules.h"

namespace {

using stormo::access::UserPattern;

std::string_view nextLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

bool hasControlCharacters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 32; });
}

bool expected(const std::string& pattern, std::string_view group, std::string_view user) {
  const bool hasPlace = UserPattern::hasPlace(pattern);
  if (hasPlace && user.empty()) return false;
  return stormo::matchesPattern(hasPlace ? UserPattern::with(pattern, user) : pattern, group);
}

}  // namespace

/// Lines: a user, a group, then patterns of rules.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  std::string_view text(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 1024));
  const std::string_view user = nextLine(text);
  const std::string_view group = nextLine(text);
  if (hasControlCharacters(user)) return 0;  // no token has such a user
  if (!user.empty()) STORMO_ASSERT(UserPattern("{user}").matches(group, user) == (group == user));

  std::vector<AccessRule> rules;
  const AccessRule* first = nullptr;
  while (!text.empty() && rules.size() < 20) {
    const std::string pattern(nextLine(text));
    if (pattern.empty() || hasControlCharacters(pattern)) continue;
    STORMO_ASSERT(UserPattern(pattern).matches(group, user) == expected(pattern, group, user));
    rules.push_back({.groups = pattern,
                     .join = static_cast<Who>(rules.size() % 4),
                     .send = static_cast<Who>(rules.size() / 4 % 4),
                     .envelope = rules.size() >= 16});
  }
  const auto found = std::ranges::find_if(
      rules, [&](const AccessRule& rule) { return expected(rule.groups, group, user); });
  if (found != rules.end()) first = &*found;
  const server::GroupRules all(rules, true);
  const server::GroupRules::Verdict& verdict = all.of(group, user);
  STORMO_ASSERT(verdict.join == (first == nullptr ? Who::Token : *first->join));
  STORMO_ASSERT(verdict.send == (first == nullptr ? Who::Token : *first->send));
  STORMO_ASSERT(verdict.envelope == (first != nullptr && first->envelope));
  return 0;
}
