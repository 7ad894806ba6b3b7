#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "net/connection_table.h"

namespace stormo::channel {

/// What the Channel does about a link that takes less than it is sent: while its output is over the
/// limit, no other link is read, so that publishers wait instead of us; and one that stays over it
/// for too long is cut.
///
/// A full link itself is read on, up to twice the limit: it may have to say something before it
/// takes more.
class BackPressure {
 public:
  /// `endpoint` is the one of all links, its sendQueueBytesMax the limit.
  BackPressure(net::ConnectionTable& table, const net::Endpoint& endpoint,
               std::chrono::milliseconds stallMax)
      : table_(table), endpoint_(endpoint), stallMax_(stallMax) {}
  ~BackPressure();
  BackPressure(const BackPressure&) = delete;
  BackPressure& operator=(const BackPressure&) = delete;

  // As they happen to a link.
  void onFull(net::ConnectionImpl& link);
  void onDrain(net::ConnectionImpl& link);
  void onClose(net::ConnectionImpl& link);
  /// One frame of it was handled: pauses the link if nothing more may come from it now.
  void onFrame(net::ConnectionImpl& link) {
    if (!full_.empty()) pauseIfNeeded(link);
  }

 private:
  struct FullLink {
    ConnectionId id;
    std::uint64_t bytesWritten;  ///< When it was last judged.
    Timer::Id timer;
    int ticks;  ///< Since then.
  };

  void pauseIfNeeded(net::ConnectionImpl& link);
  /// Time is counted in ticks: between two of them lies at least one turn that flushes, so no link
  /// is cut because this process was blocked.
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
