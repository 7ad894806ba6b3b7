#pragma once

#include <string>

#include "process/json_fwd.h"
#include "process/program.h"

namespace stormo::process {

/// The text after `start`, in Workerman's form. `commandLine`: the program's name with the options
/// that name this instance, for the hint. `colors`: stdout is a terminal.
std::string startScreen(const std::string& commandLine, const Program& program, bool daemon,
                        bool colors);

/// statusReport() as Workerman's two tables.
std::string statusScreen(const Json& report);

/// The answer to `connections` as Workerman's table.
std::string connectionsScreen(const Json& answer);

/// The answer to `nodes` as a table, and a line for a node that can take no messages.
std::string nodesScreen(const Json& answer);

/// Bytes in short form: "1.09M".
std::string sizeText(std::uint64_t bytes);

}  // namespace stormo::process
