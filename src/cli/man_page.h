#pragma once

#include <string>
#include <vector>

#include "cli/command_text.h"

namespace stormo::cli {

/// The manual page stormo(1) in the macros of man(7): the commands and their options, and a table
/// of all settings with their keys, flags, variables and defaults.
std::string manPage(const std::vector<CommandText>& commands);

}  // namespace stormo::cli
