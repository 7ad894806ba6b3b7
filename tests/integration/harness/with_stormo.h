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

  /// Of `start` on a free port, and further options.
  static Words freePort(const Words& options = {}) {
    Words words = {"--listen", "websocket://127.0.0.1:0"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  void startStormo(const Words& options = {"--workers", "2"}) {
    stormo.start(freePort(options));
    meetClients();
  }
  /// Clients for a program that runs.
  void meetClients() { swarm_ = std::make_unique<ClientSwarm>(deadline, stormo.port()); }

  ClientSwarm& clients() { return *swarm_; }

  /// Clients on different workers, all members of that group.
  std::vector<Id> membersOnDifferentWorkers(const std::string& group, std::size_t count = 2) {
    const auto members = connectToDifferentWorkers(stormo, clients(), count);
    for (const Id id : members) clients().join(id, group);
    return members;
  }

  const Deadline deadline;
  ProgramInstance stormo{deadline};

 private:
  std::unique_ptr<ClientSwarm> swarm_;
};

}  // namespace stormo::integration
