#pragma once

#include "process/program.h"

namespace stormo::process {

/// Throws std::runtime_error, with a sentence for the user, if a count, a user or a pair of
/// addresses cannot be. Opens nothing.
void checkProgram(const Program& program);

}  // namespace stormo::process
