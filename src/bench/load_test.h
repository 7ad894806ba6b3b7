#pragma once

#include <sys/types.h>

#include "bench/plan.h"
#include "bench/report.h"

namespace stormo::bench {

/// Runs a settled plan: forks the generator's processes, leads them through the phases, and reads
/// the server's CPU time and memory. `serverPid`: the server's first process; 0: the process that
/// listens on plan.server. Throws std::runtime_error, with a sentence for the user, if the test
/// cannot run: the server is not reachable, or members never receive a message.
Report runLoadTest(const Plan& plan, pid_t serverPid);

}  // namespace stormo::bench
