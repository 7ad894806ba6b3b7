#pragma once

#include <algorithm>
#include <string_view>

namespace stormo {

/// For the parts of HTTP that ignore case. Bytes above ASCII are equal to themselves only.
[[nodiscard]] constexpr char toLowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

[[nodiscard]] constexpr bool equalsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return toLowerAscii(x) == toLowerAscii(y); });
}

/// `text` without the spaces and tabs at both ends (OWS, RFC 9110 5.6.3).
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

/// Removes the first item of a comma-separated list and returns it (RFC 9110 5.6.1), trimmed. It
/// may be empty.
constexpr std::string_view takeListItem(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view item = trimmed(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return item;
}

}  // namespace stormo
