#pragma once

#include <algorithm>
#include <chrono>

#include "sys/clock.h"

namespace stormo::process {

/// The wait before a slot's child is restarted: none the first time, then 100 ms, doubled each time
/// up to 5 s. A child that ran for 10 s resets it. Gets the time as a parameter.
class RestartPolicy {
 public:
  using Duration = Clock::duration;

  static constexpr Duration kFirstWait = std::chrono::milliseconds(100);
  static constexpr Duration kLongestWait = std::chrono::seconds(5);
  static constexpr Duration kResetAfter = std::chrono::seconds(10);

  /// The wait before the next start, from the times when the child was started and ended.
  Duration onEnd(TimePoint started, TimePoint ended) {
    if (ended - started >= kResetAfter) wait_ = Duration::zero();
    const Duration now = wait_;
    wait_ = std::clamp<Duration>(2 * now, kFirstWait, kLongestWait);
    return now;
  }

 private:
  Duration wait_ = Duration::zero();
};

}  // namespace stormo::process
