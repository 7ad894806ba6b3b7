#pragma once

#include <string>
#include <string_view>

namespace stormo {

/// True if the whole name matches the pattern, as file names in a shell do: `*` is any text, `?`
/// one byte, `[ab]` one of these bytes. Names may contain any byte.
[[nodiscard]] bool matchesPattern(const std::string& pattern, std::string_view name);

}  // namespace stormo
