#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>

#include "cli/instance_link.h"
#include "cli/parse_arguments.h"
#include "sys/standard_streams.h"

namespace stormo::cli {

/// Parses the words of a command that has a link, opens it, and calls `body`. Returns the exit
/// status: 1 with one line on stderr for what was thrown, 2 for std::invalid_argument.
inline int runWithLink(CLI::App& app, int argc, char** argv, InstanceLink& link,
                       const std::function<int()>& body) {
  const std::string name = app.get_name();
  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    link.open();
    return body();
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), failed.what());
    return 1;
  }
}

}  // namespace stormo::cli
