#include "cli/parse_arguments.h"

#include <iostream>
#include <sstream>

#include "sys/standard_streams.h"

namespace {

/// Set while describeCommand() runs.
std::vector<stormo::cli::CommandText>* description = nullptr;

}  // namespace

std::optional<int> parseArguments(CLI::App& app, int argc, char** argv) {
  if (description != nullptr) {
    *description = stormo::cli::describe(app);
    return 0;
  }
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::ostringstream help;
    if (app.exit(error, help, std::cerr) != 0) return 2;
    stormo::printOut(help.str());
    return 0;
  }
}

std::vector<stormo::cli::CommandText> describeCommand(int (*command)(int argc, char** argv)) {
  std::vector<stormo::cli::CommandText> commands;
  description = &commands;
  command(0, nullptr);
  description = nullptr;
  return commands;
}
