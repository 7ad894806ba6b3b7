#include "access/rights.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/name_pattern.h"

namespace stormo::access {
namespace {

constexpr std::string_view kUser = "{user}";
constexpr std::string_view kSpecial = "*?[]\\";

constexpr std::array<std::pair<std::string_view, May>, 4> kNames = {{
    {"join", May::Join},
    {"send", May::Send},
    {"history", May::History},
    {"presence", May::Presence},
}};

/// The pattern that matches the name and nothing else.
std::string literal(std::string_view name) {
  std::string pattern;
  for (const char each : name) {
    if (kSpecial.find(each) != std::string_view::npos) pattern += '\\';
    pattern += each;
  }
  return pattern;
}

}  // namespace

std::uint8_t mayNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &decltype(kNames)::value_type::first);
  return found == kNames.end() ? 0 : static_cast<std::uint8_t>(found->second);
}

void Rights::grant(std::string_view pattern, std::uint8_t may, std::string_view user) {
  std::string whole;
  for (std::size_t at = pattern.find(kUser); at != pattern.npos; at = pattern.find(kUser)) {
    if (user.empty()) return;
    whole += pattern.substr(0, at);
    whole += literal(user);
    pattern.remove_prefix(at + kUser.size());
  }
  whole += pattern;
  const Form form = formOf(whole);
  if (form == Form::Prefix) whole.pop_back();
  grants_.push_back({.text = std::move(whole), .form = form, .may = may});
}

std::vector<std::string> Rights::texts() const {
  std::vector<std::string> texts;
  for (const Grant& grant : grants_) {
    std::string text = grant.text;
    if (grant.form == Form::Prefix) text += '*';
    const char* separator = " ";
    for (const auto& [name, bit] : kNames) {
      if ((grant.may & static_cast<std::uint8_t>(bit)) == 0) continue;
      text.append(std::exchange(separator, ", ")).append(name);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

Rights::Form Rights::formOf(std::string_view pattern) {
  const std::size_t first = pattern.find_first_of(kSpecial);
  if (first == pattern.npos) return Form::Name;
  const bool endsThere = first + 1 == pattern.size() && pattern.back() == '*';
  return endsThere ? Form::Prefix : Form::Pattern;
}

bool Rights::matches(const Grant& grant, std::string_view group) {
  switch (grant.form) {
    case Form::Name:
      return group == grant.text;
    case Form::Prefix:
      return group.starts_with(grant.text);
    case Form::Pattern:
      break;
  }
  return matchesPattern(grant.text, group);
}

bool Rights::allow(May what, std::string_view group) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return (grant.may & static_cast<std::uint8_t>(what)) != 0 && matches(grant, group);
  });
}

}  // namespace stormo::access
