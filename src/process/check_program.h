#pragma once

#include "process/program.h"

namespace stormo::process {

/// Throws std::runtime_error, with a text for the user, if a count or a user is invalid, or if two
/// addresses conflict. Opens nothing.
void checkProgram(const Program& program);

}  // namespace stormo::process
