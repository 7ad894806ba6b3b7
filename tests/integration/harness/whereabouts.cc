#include "integration/harness/whereabouts.h"

#include <stdexcept>

namespace stormo::integration {

using Id = ClientSwarm::Id;

namespace {

/// By the addresses of the clients.
std::map<std::string, pid_t> workersByClient(ProgramInstance& program) {
  std::map<std::string, pid_t> workers;
  const Json rows = program.connections();
  for (const Json& row : rows) {
    if (row.at("kind") == "worker") workers[row.at("remote_address")] = row.at("pid").get<pid_t>();
  }
  return workers;
}

pid_t workerIn(const std::map<std::string, pid_t>& workers, std::uint16_t localPort) {
  const auto worker = workers.find("127.0.0.1:" + std::to_string(localPort));
  if (worker != workers.end()) return worker->second;
  throw std::runtime_error("the client with port " + std::to_string(localPort) +
                           " is missing from 'connections'");
}

}  // namespace

std::vector<pid_t> workersOf(ProgramInstance& program, const ClientSwarm& swarm,
                             const std::vector<Id>& clients) {
  const std::map<std::string, pid_t> workers = workersByClient(program);
  std::vector<pid_t> found;
  for (const Id id : clients) found.push_back(workerIn(workers, swarm[id].localPort));
  return found;
}

pid_t workerOf(ProgramInstance& program, std::uint16_t localPort) {
  return workerIn(workersByClient(program), localPort);
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
