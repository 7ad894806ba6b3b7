#pragma once

#include <stormo/worker.h>

#include <string>
#include <vector>

#include "process/program.h"

namespace stormo {

/// The Workers that exist in this process, in the order of their construction.
std::vector<Worker*>& declaredWorkers();

/// The protocol of the worker: the one that is set, or that of its address. Throws
/// std::invalid_argument if there is no such protocol.
Protocol protocolOf(const Worker& worker);

/// All declared Channel servers and Workers as roles. The private socket and the state file of the
/// program's own Channel are in `directory`, the instance's. Throws std::invalid_argument, with a
/// text for the user, for invalid settings.
std::vector<process::Role> declaredRoles(const std::string& directory);

}  // namespace stormo
