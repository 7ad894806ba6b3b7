#pragma once

#include <map>
#include <vector>

#include "integration/harness/client_swarm.h"
#include "integration/harness/program_instance.h"

namespace stormo::integration {

/// The pid of the worker of each open client, in their order, found by their ports in
/// `connections`.
std::vector<pid_t> workersOf(ProgramInstance& program, const ClientSwarm& swarm,
                             const std::vector<ClientSwarm::Id>& clients);

/// The same, of clients with these ports of their own.
std::vector<pid_t> workersOf(ProgramInstance& program,
                             const std::vector<std::uint16_t>& localPorts);

/// Connects one client after another until `count` of them are on different workers, and
/// disconnects the others.
std::vector<ClientSwarm::Id> connectToDifferentWorkers(ProgramInstance& program, ClientSwarm& swarm,
                                                       std::size_t count);

}  // namespace stormo::integration
