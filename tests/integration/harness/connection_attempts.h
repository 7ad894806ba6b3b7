#pragma once

#include <vector>

#include "integration/harness/client_swarm.h"

namespace stormo::integration {

/// Connects one client after another, a few at a time, in each turn of the test.
class ConnectionAttempts {
 public:
  using Id = ClientSwarm::Id;

  explicit ConnectionAttempts(ClientSwarm& clients) : clients_(clients) {}

  /// Call it in each turn.
  void advance() {
    std::erase_if(opening_, [&](Id id) {
      const SwarmClient& client = clients_[id];
      if (client.state == SwarmClient::State::Opening) return false;
      if (client.connectError != 0) ++refused_;
      client.isOpen() ? ++opened_ : ++failed_;
      if (client.isOpen()) clients_.close(id);
      return true;
    });
    while (opening_.size() < kAtATime) opening_.push_back(clients_.begin());
  }

  static constexpr std::size_t kAtATime = 4;
  [[nodiscard]] std::size_t opened() const { return opened_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }

 private:
  ClientSwarm& clients_;
  std::vector<Id> opening_;
  std::size_t opened_ = 0;
  std::size_t refused_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace stormo::integration
