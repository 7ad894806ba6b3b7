#include "access/rights.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stormo::access {
namespace {

constexpr std::array<std::pair<std::string_view, May>, 4> kNames = {{
    {"join", May::Join},
    {"send", May::Send},
    {"history", May::History},
    {"presence", May::Presence},
}};

}  // namespace

std::uint8_t mayNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &decltype(kNames)::value_type::first);
  return found == kNames.end() ? 0 : static_cast<std::uint8_t>(found->second);
}

void Rights::grant(std::string_view pattern, std::uint8_t may, std::string_view user) {
  if (UserPattern::hasPlace(pattern) && user.empty()) return;
  grants_.push_back({.pattern = GroupPattern(UserPattern::with(pattern, user)), .may = may});
}

std::vector<std::string> Rights::texts() const {
  std::vector<std::string> texts;
  for (const Grant& grant : grants_) {
    std::string text = grant.pattern.text();
    const char* separator = " ";
    for (const auto& [name, bit] : kNames) {
      if ((grant.may & static_cast<std::uint8_t>(bit)) == 0) continue;
      text.append(std::exchange(separator, ", ")).append(name);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

bool Rights::allow(May what, std::string_view group) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return (grant.may & static_cast<std::uint8_t>(what)) != 0 && grant.pattern.matches(group);
  });
}

}  // namespace stormo::access
