#pragma once

#include <string>

#include "process/program.h"

namespace stormo::process {

/// Checks what a start needs from the system: users, groups, addresses, directories of unix
/// sockets. Changes nothing. Addresses in use are accepted, and so is everything in `ownDirectory`,
/// which is the instance's and which a start creates. Throws std::runtime_error with a text for the
/// user.
void checkStart(const Program& program, const std::string& ownDirectory);

}  // namespace stormo::process
