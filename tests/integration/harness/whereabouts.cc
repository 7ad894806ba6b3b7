#include "integration/harness/whereabouts.h"

#include <stdexcept>

namespace stormo::integration {

using Id = ClientSwarm::Id;

std::vector<pid_t> workersOf(ProgramInstance& program, const ClientSwarm& swarm,
                             const std::vector<Id>& clients) {
  std::vector<std::uint16_t> localPorts;
  for (const Id id : clients) localPorts.push_back(swarm[id].localPort);
  return workersOf(program, localPorts);
}

std::vector<pid_t> workersOf(ProgramInstance& program,
                             const std::vector<std::uint16_t>& localPorts) {
  std::map<std::string, pid_t> workers;
  const Json rows = program.connections();
  for (const Json& row : rows) {
    if (row.at("kind") == "worker") workers[row.at("remote_address")] = row.at("pid").get<pid_t>();
  }
  std::vector<pid_t> found;
  for (const std::uint16_t port : localPorts) {
    const auto worker = workers.find("127.0.0.1:" + std::to_string(port));
    if (worker == workers.end()) {
      throw std::runtime_error("a client is missing from 'connections': " + rows.dump(1));
    }
    found.push_back(worker->second);
  }
  return found;
}

std::vector<Id> connectToDifferentWorkers(ProgramInstance& program, ClientSwarm& swarm,
                                          std::size_t count) {
  // The kernel chooses the worker by the client's port; enough clients reach every worker.
  const std::vector<Id> all = swarm.connect(16 * count);
  const std::vector<pid_t> workers = workersOf(program, swarm, all);
  std::map<pid_t, Id> chosen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool isWanted = chosen.size() < count && chosen.emplace(workers[i], all[i]).second;
    if (!isWanted) swarm.close(all[i]);
  }
  if (chosen.size() < count) throw std::runtime_error("all clients came to the same few workers");
  std::vector<Id> clients;
  for (const auto& [worker, id] : chosen) clients.push_back(id);
  return clients;
}

}  // namespace stormo::integration
