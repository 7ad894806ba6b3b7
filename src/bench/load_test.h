#pragma once

#include <sys/types.h>

#include "bench/plan.h"
#include "bench/report.h"

namespace stormo::bench {

/// Runs a settled plan: forks the generator's processes, leads them through the phases, and reads
/// the server's own figures meanwhile. `serverPid`: the server's first process; 0: whoever listens
/// on plan.server. Throws std::runtime_error, with a sentence for the user, if the test could not
/// be made: the server cannot be reached, or members never hear anything.
Report runLoadTest(const Plan& plan, pid_t serverPid);

}  // namespace stormo::bench
