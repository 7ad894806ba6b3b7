#pragma once

#include <string>
#include <string_view>

namespace stormo::cli {

/// The text for a terminal. Names and messages come from clients, and could control the terminal:
/// one with control characters, or that is not UTF-8, has escapes ("\x1b").
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace stormo::cli
