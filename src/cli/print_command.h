#pragma once

#include <vector>

#include "cli/command_text.h"

/// `stormo print`: texts that are made of the command line and the table of settings. `others` are
/// all commands but this one.
int runPrint(int argc, char** argv, std::vector<stormo::cli::CommandText> others);
