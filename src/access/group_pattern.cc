#include "access/group_pattern.h"

#include "base/name_pattern.h"

namespace stormo::access {
namespace {

constexpr std::string_view kUser = "{user}";
constexpr std::string_view kSpecial = "*?[]\\";

bool isLiteral(std::string_view text) { return text.find_first_of(kSpecial) == text.npos; }

/// Appends the pattern that matches the name and nothing else.
void appendLiteral(std::string_view name, std::string& pattern) {
  for (const char each : name) {
    if (kSpecial.find(each) != std::string_view::npos) pattern += '\\';
    pattern += each;
  }
}

void appendWithUser(std::string_view pattern, std::string_view user, std::string& whole) {
  for (std::size_t at = pattern.find(kUser); at != pattern.npos; at = pattern.find(kUser)) {
    whole += pattern.substr(0, at);
    appendLiteral(user, whole);
    pattern.remove_prefix(at + kUser.size());
  }
  whole += pattern;
}

}  // namespace

GroupPattern::GroupPattern(std::string_view text) : text_(text) {
  const std::size_t first = text.find_first_of(kSpecial);
  if (first == text.npos) return;
  const std::size_t last = text.find_last_of(kSpecial);
  form_ = first == last && text[first] == '*' ? Form::OneStar : Form::Other;
  beforeBytes_ = first;
  afterBytes_ = text.size() - last - 1;
}

bool GroupPattern::matches(std::string_view group) const {
  const std::string_view text = text_;
  if (form_ == Form::Name) return group == text;
  if (group.size() < beforeBytes_ + afterBytes_ ||
      !group.starts_with(text.substr(0, beforeBytes_)) ||
      !group.ends_with(text.substr(text.size() - afterBytes_))) {
    return false;
  }
  return form_ == Form::OneStar || matchesPattern(text_, group);
}

UserPattern::UserPattern(std::string_view text) : pattern_(text) {
  const std::size_t at = text.find(kUser);
  if (at == text.npos) return;
  form_ = Form::Other;
  const std::string_view before = text.substr(0, at);
  std::string_view after = text.substr(at + kUser.size());
  isOpen_ = after.ends_with('*');
  if (isOpen_) after.remove_suffix(1);
  if (!isLiteral(before) || !isLiteral(after) || hasPlace(after)) return;
  form_ = Form::Plain;
  before_ = before;
  after_ = after;
}

bool UserPattern::hasPlace(std::string_view pattern) { return pattern.find(kUser) != pattern.npos; }

std::string UserPattern::with(std::string_view pattern, std::string_view user) {
  std::string whole;
  appendWithUser(pattern, user, whole);
  return whole;
}

bool UserPattern::matches(std::string_view group, std::string_view user) const {
  if (form_ == Form::NoPlace) return pattern_.matches(group);
  if (user.empty()) return false;
  if (form_ == Form::Plain) {
    if (!group.starts_with(before_)) return false;
    group.remove_prefix(before_.size());
    if (!group.starts_with(user)) return false;
    group.remove_prefix(user.size());
    return isOpen_ ? group.starts_with(after_) : group == after_;
  }
  static thread_local std::string whole;  // keeps its room
  whole.clear();
  appendWithUser(pattern_.text(), user, whole);
  return matchesPattern(whole, group);
}

}  // namespace stormo::access
