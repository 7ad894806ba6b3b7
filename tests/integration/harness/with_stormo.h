#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "integration/harness/client_swarm.h"
#include "integration/harness/program_instance.h"
#include "integration/harness/whereabouts.h"

namespace stormo::integration {

/// A test with one `stormo` on a free port, and clients of it.
class WithStormo : public ::testing::Test {
 protected:
  using Id = ClientSwarm::Id;
  using Texts = std::vector<std::string>;

  /// The options of `start` on a free port, and further ones.
  static Words freePort(const Words& options = {}) {
    Words words = {"--listen", "websocket://127.0.0.1:0"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  void startStormo(const Words& options = {"--workers", "2"}) {
    stormo.start(freePort(options));
    meetClients();
  }
  /// Clients of a running program.
  void meetClients() { swarm_ = std::make_unique<ClientSwarm>(deadline, stormo.port()); }

  ClientSwarm& clients() { return *swarm_; }

  /// Runs a command line to its end while the clients' loop runs.
  Outcome runBesideClients(const Words& words) {
    const auto command = stormo.begin(words);
    clients().runUntil("a command's end", [&] { return command->statusIfEnded().has_value(); });
    return command->waitForEnd();
  }

  /// The number of clients in a status: the workers' connections without their links to the
  /// Channel.
  static std::uint64_t clientsIn(const Json& status) {
    std::uint64_t clients = 0;
    for (const Json& row : status.at("processes")) {
      if (row.at("kind") == "worker") clients += row.at("connections").get<std::uint64_t>() - 1;
    }
    return clients;
  }
  static std::uint64_t groupsIn(const Json& status) {
    std::uint64_t groups = 0;
    for (const Json& row : status.at("processes")) {
      if (row.at("kind") == "worker") groups += row.at("groups").get<std::uint64_t>();
    }
    return groups;
  }

  /// Clients on different workers, all members of that group.
  std::vector<Id> membersOnDifferentWorkers(const std::string& group, std::size_t count = 2) {
    const auto members = connectToDifferentWorkers(stormo, clients(), count);
    for (const Id id : members) clients().join(id, group);
    return members;
  }

  explicit WithStormo(std::chrono::seconds limit = std::chrono::seconds(60),
                      const std::string& program = "stormo")
      : deadline(limit), stormo(deadline, program) {}

  const Deadline deadline;
  ProgramInstance stormo;

 private:
  std::unique_ptr<ClientSwarm> swarm_;
};

}  // namespace stormo::integration
