#include "base/name_pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace stormo {
namespace {

// fnmatch() ends a name at a zero byte. Patterns contain neither byte, so both match the same.
constexpr char kStandsForNul = '\1';

// Names of groups are not longer, so matching them allocates nothing.
constexpr std::size_t kShortBytes = 255;

}  // namespace

bool matchesPattern(const std::string& pattern, std::string_view name) {
  std::array<char, kShortBytes + 1> shortText;
  std::string longText;
  char* text = shortText.data();
  if (name.size() > kShortBytes) {
    longText.resize(name.size());
    text = longText.data();
  }
  std::ranges::replace_copy(name, text, '\0', kStandsForNul);
  text[name.size()] = '\0';
  return fnmatch(pattern.c_str(), text, 0) == 0;
}

}  // namespace stormo
