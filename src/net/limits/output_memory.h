#pragma once

#include <stormo/limits.h>

#include <vector>

#include "net/limits/minute_log_limit.h"
#include "net/reactor.h"

namespace stormo::net {

/// Bounds the memory that the output of one loop's connections holds; those of one endpoint with
/// the longest queues pay first. Near the bound they are closed with 1013, and what waits for them
/// leaves if they read it. Above the bound their queues are dropped.
class OutputMemory final : FlushObserver {
 public:
  /// All outlive this. `limit` has a maximum.
  OutputMemory(Reactor& reactor, const Endpoint& endpoint, const Limit& limit);
  ~OutputMemory();
  OutputMemory(const OutputMemory&) = delete;
  OutputMemory& operator=(const OutputMemory&) = delete;

 private:
  struct Waiting {
    std::uint64_t bytes;
    ConnectionImpl* connection;
  };

  void onFlushed() override;
  /// The longest queue first.
  [[nodiscard]] std::vector<Waiting> waiting() const;
  void closeLongest();
  void dropLongest();
  void note(const ConnectionImpl& connection);

  Reactor& reactor_;
  const Endpoint& endpoint_;
  const Limit limit_;
  const std::size_t closesAbove_;
  const std::size_t goal_;
  // To look at all connections costs something.
  TimePoint nextClosing_{};
  TimePoint nextDropping_{};
  MinuteLogLimit logLimit_;
};

}  // namespace stormo::net
