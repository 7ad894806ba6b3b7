#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "sys/clock.h"

namespace stormo::net {

/// Limits the log lines about one cause, which may occur any number of times, to one a minute.
class MinuteLogLimit {
 public:
  static constexpr std::chrono::minutes kInterval{1};

  /// It has occurred once more. Returns how often it has since the last line, this time included,
  /// if that is to be logged now; else 0.
  std::uint64_t take(TimePoint now) {
    ++count_;
    if (loggedAt_ && now - *loggedAt_ < kInterval) return 0;
    loggedAt_ = now;
    const std::uint64_t count = count_;
    count_ = 0;
    return count;
  }

 private:
  std::optional<TimePoint> loggedAt_;
  std::uint64_t count_ = 0;
};

}  // namespace stormo::net
