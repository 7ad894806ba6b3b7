#pragma once

#include <CLI/CLI.hpp>
#include <optional>

/// Parses the words of one command. Returns an exit status if it is not to run: its help was asked
/// for and printed, or a word is wrong, which was reported.
std::optional<int> parseArguments(CLI::App& app, int argc, char** argv);
