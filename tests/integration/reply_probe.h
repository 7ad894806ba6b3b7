#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "integration/harness/client_swarm.h"

namespace stormo::integration {

/// A client of stormo.v1 that sends a message every 10 ms, but only after the reply to the previous
/// one. It reconnects when its connection ends.
class ReplyProbe {
 public:
  explicit ReplyProbe(ClientSwarm& clients) : clients_(clients) {}

  /// Call it in each turn of the test.
  void advance();

  [[nodiscard]] std::size_t replyCount() const { return times_.size(); }
  /// Of all replies. There must be one.
  [[nodiscard]] std::chrono::microseconds medianTime() const;

 private:
  void send();

  ClientSwarm& clients_;
  ClientSwarm::Id id_ = 0;
  bool isBegun_ = false;
  bool isWaiting_ = false;
  std::uint64_t number_ = 0;
  std::chrono::steady_clock::time_point sentAt_{};
  std::vector<std::chrono::microseconds> times_;
};

}  // namespace stormo::integration
