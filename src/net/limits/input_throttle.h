#pragma once

#include <stormo/limits.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/counters.h"
#include "net/connection_deadlines.h"
#include "net/connection_impl.h"

namespace stormo::net {

/// What one connection may send on average.
struct InputRates {
  Limit messagesPerSecond = {};
  Limit bytesPerSecond = {};
  /// Of all connections of its user to this process together.
  Limit messagesPerSecondPerUser = {};
  Limit bytesPerSecondPerUser = {};
  OverRate overRate = OverRate::Wait;

  /// How much to read at once: a message more than the rate allows waits in memory.
  [[nodiscard]] std::size_t readBytesMax() const {
    constexpr std::size_t kMost = 32 << 10;
    std::size_t most = kMost;
    for (const std::size_t max : {bytesPerSecond.max, bytesPerSecondPerUser.max}) {
      if (max > 0) most = std::min(most, std::clamp<std::size_t>(max, 4096, kMost));
    }
    return most;
  }
};

/// Holds connections to the InputRates of their endpoints: one that exceeds them is not read until
/// it is within them again, or is closed with 1008.
class InputThrottle {
 public:
  explicit InputThrottle(Reactor& reactor) : reactor_(reactor) {}

  /// The connection, whose endpoint has rates, has sent that many bytes, which are handled.
  void onBytes(ConnectionImpl& connection, std::size_t bytes);
  /// It has sent a message, which is not delivered yet. False: it must not be, the connection is
  /// closed.
  [[nodiscard]] bool onMessage(ConnectionImpl& connection);
  /// The connection is closing, or freed: nothing holds it any more.
  void forget(ConnectionImpl& connection);

 private:
  bool charge(ConnectionImpl& connection, TokenBucket& bucket, const Limit& limit,
              std::size_t tokens, LimitCounter& counter, const char* reason);
  void hold(ConnectionImpl& connection, Clock::duration wait);
  void onDue(ConnectionImpl& connection);

  Reactor& reactor_;
  std::optional<ConnectionDeadlines> held_;  // since the first one
};

}  // namespace stormo::net
