#include "base/name_pattern.h"

#include <fnmatch.h>

#include <algorithm>

namespace stormo {
namespace {

// fnmatch() ends a name at a zero byte. Patterns contain neither byte, so both match the same.
constexpr char kStandsForNul = '\1';

}  // namespace

bool matchesPattern(const std::string& pattern, std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '\0', kStandsForNul);
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

}  // namespace stormo
