#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <vector>

#include "cli/command_text.h"

/// Parses the words of one command. Returns an exit status if it is not to run: its help was asked
/// for and printed, or a word is wrong, which was reported.
std::optional<int> parseArguments(CLI::App& app, int argc, char** argv);

/// Describes a command that calls parseArguments() before it does anything. The command does not
/// run.
std::vector<stormo::cli::CommandText> describeCommand(int (*command)(int argc, char** argv));
