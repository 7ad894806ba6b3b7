#pragma once

#include <chrono>
#include <cstddef>

#include "sys/clock.h"

namespace stormo {

/// How many clients of a process that leaves are closed by when: evenly over a time. Gets the time
/// as a parameter.
class ClosePace {
 public:
  ClosePace(std::size_t clients, TimePoint now, Clock::duration over)
      : clients_(clients), over_(over), last_(now) {}

  /// The number of clients that should be closed by now. While `areOthersBehind`, it does not grow:
  /// clients that were closed wait to be accepted by other processes. All such waits together last
  /// `over` at most; then the pace goes on.
  std::size_t due(TimePoint now, bool areOthersBehind);

 private:
  const std::size_t clients_;
  const Clock::duration over_;
  TimePoint last_;
  Clock::duration spent_{0};   // of `over_`
  Clock::duration waited_{0};  // besides
};

}  // namespace stormo
