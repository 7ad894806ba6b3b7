#include "cli/parse_arguments.h"

#include <iostream>
#include <sstream>

#include "sys/standard_streams.h"

std::optional<int> parseArguments(CLI::App& app, int argc, char** argv) {
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
