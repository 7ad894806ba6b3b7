#pragma once

#include <algorithm>
#include <chrono>

#include "sys/clock.h"

namespace stormo::process {

/// How long a slot whose child died waits for the next one: not at all the first time, then twice
/// as long each time, up to a bound. A child that lived long enough is forgiven. Knows no clock.
class RestartPolicy {
 public:
  using Duration = Clock::duration;

  static constexpr Duration kFirstWait = std::chrono::milliseconds(100);
  static constexpr Duration kLongestWait = std::chrono::seconds(5);
  static constexpr Duration kForgivenAfter = std::chrono::seconds(10);

  /// The wait before the next start, given when the child was started and when it died.
  Duration onDeath(TimePoint started, TimePoint died) {
    if (died - started >= kForgivenAfter) wait_ = Duration::zero();
    const Duration now = wait_;
    wait_ = std::clamp<Duration>(2 * now, kFirstWait, kLongestWait);
    return now;
  }

 private:
  Duration wait_ = Duration::zero();
};

}  // namespace stormo::process
