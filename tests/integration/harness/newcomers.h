#pragma once

#include <vector>

#include "integration/harness/client_swarm.h"

namespace stormo::integration {

/// Connects one client after another, a few at a time, in each turn of the test.
class Newcomers {
 public:
  using Id = ClientSwarm::Id;

  explicit Newcomers(ClientSwarm& clients) : clients_(clients) {}

  /// Call it in each turn.
  void keepComing() {
    std::erase_if(opening_, [&](Id id) {
      const SwarmClient& client = clients_[id];
      if (client.state == SwarmClient::State::Opening) return false;
      if (client.connectError != 0) ++refused_;
      client.isOpen() ? ++welcomed_ : ++cutOff_;
      if (client.isOpen()) clients_.close(id);
      return true;
    });
    while (opening_.size() < kAtATime) opening_.push_back(clients_.begin());
  }

  static constexpr std::size_t kAtATime = 4;
  [[nodiscard]] std::size_t welcomed() const { return welcomed_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t cutOff() const { return cutOff_; }

 private:
  ClientSwarm& clients_;
  std::vector<Id> opening_;
  std::size_t welcomed_ = 0;
  std::size_t refused_ = 0;
  std::size_t cutOff_ = 0;
};

}  // namespace stormo::integration
