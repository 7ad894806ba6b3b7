#pragma once

#include <map>
#include <vector>

#include "integration/harness/client_swarm.h"
#include "integration/harness/program_instance.h"

namespace stormo::integration {

/// Which worker process has each of these open clients, in their order; found by their ports in
/// `connections`.
std::vector<pid_t> workersOf(ProgramInstance& program, const ClientSwarm& swarm,
                             const std::vector<ClientSwarm::Id>& clients);

/// Connects one client after another until `count` are on as many different workers, and lets the
/// others go.
std::vector<ClientSwarm::Id> connectToDifferentWorkers(ProgramInstance& program, ClientSwarm& swarm,
                                                       std::size_t count);

}  // namespace stormo::integration
