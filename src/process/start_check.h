#pragma once

#include <string>

#include "process/program.h"

namespace stormo::process {

/// Looks at what a start needs of the system, and changes nothing: users and groups, addresses,
/// folders of unix sockets. Addresses in use are no fault here, nor is anything in `ownFolder`, the
/// instance's, which a start makes. Throws std::runtime_error with the sentence.
void checkStart(const Program& program, const std::string& ownFolder);

}  // namespace stormo::process
