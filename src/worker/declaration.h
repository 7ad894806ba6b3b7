#pragma once

#include <stormo/worker.h>

#include <string>
#include <vector>

#include "process/program.h"

namespace stormo {

/// The Workers that exist in this process, in the order of their making.
std::vector<Worker*>& declaredWorkers();

/// What the worker's processes speak: its own protocol, or that of its address.
/// Throws std::invalid_argument if there is no such protocol.
Protocol protocolOf(const Worker& worker);

/// All declared Channel servers and Workers, ready to be run. The private socket of the program's
/// own Channel, and its state file, have their place in `directory`, that of the instance.
/// Throws std::invalid_argument, with a sentence for the user, for settings that cannot be.
std::vector<process::Role> declaredRoles(const std::string& directory);

}  // namespace stormo
