#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "net/connection_table.h"

namespace stormo::channel {

/// Backpressure of links that read more slowly than they receive. While the output queue of a link
/// is over the limit, no other link is read, so that producers wait instead of memory growing. A
/// link that stays over the limit for `stallMax` is closed.
///
/// A full link is still read, up to twice the limit, because it may have to send something before
/// it reads more.
class BackPressure {
 public:
  /// `endpoint` is the endpoint of all links; its sendQueueBytesMax is the limit.
  BackPressure(net::ConnectionTable& table, const net::Endpoint& endpoint,
               std::chrono::milliseconds stallMax)
      : table_(table), endpoint_(endpoint), stallMax_(stallMax) {}
  ~BackPressure();
  BackPressure(const BackPressure&) = delete;
  BackPressure& operator=(const BackPressure&) = delete;

  // Events of a link.
  void onFull(net::ConnectionImpl& link);
  void onDrain(net::ConnectionImpl& link);
  void onClose(net::ConnectionImpl& link);
  /// Called after each frame of the link. Pauses the link if it must not send more now.
  void onFrame(net::ConnectionImpl& link) {
    if (!full_.empty()) pauseIfNeeded(link);
  }

 private:
  struct FullLink {
    ConnectionId id;
    std::uint64_t bytesWritten;  ///< At the last check.
    Timer::Id timer;
    int ticks;  ///< Since the last check.
  };

  void pauseIfNeeded(net::ConnectionImpl& link);
  /// Time is measured in ticks: between two ticks there is at least one turn that flushes, so no
  /// link is closed because this process was blocked.
  void onTick(ConnectionId id);
  void remove(net::ConnectionImpl& link);
  [[nodiscard]] bool isFull(const net::ConnectionImpl& link) const;
  [[nodiscard]] bool isFarOver() const;

  net::ConnectionTable& table_;
  const net::Endpoint& endpoint_;
  const std::chrono::milliseconds stallMax_;
  std::vector<FullLink> full_;
};

}  // namespace stormo::channel
