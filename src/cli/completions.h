#pragma once

#include <string>
#include <vector>

#include "cli/command_text.h"

namespace stormo::cli {

/// Scripts that complete commands, options and their values in a shell. Values without known
/// choices are completed as names of files. The shell alone is needed, not the package
/// bash-completion.
std::string bashCompletion(const std::vector<CommandText>& commands);
std::string zshCompletion(const std::vector<CommandText>& commands);

}  // namespace stormo::cli
