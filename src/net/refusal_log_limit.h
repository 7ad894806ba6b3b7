#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sys/clock.h"

namespace stormo::net {

/// Limits the log lines about refused origins: one for each origin and hour, and kOriginsMax in an
/// hour, as peers may send any origin.
class RefusedOrigins {
 public:
  static constexpr std::size_t kOriginsMax = 16;
  static constexpr std::size_t kBytesMax = 128;

  /// Returns the origin, cut to kBytesMax, if it is to be logged now; else an empty string.
  std::string_view take(std::string_view origin, TimePoint now) {
    if (now - since_ >= std::chrono::hours(1)) {
      logged_.clear();
      since_ = now;
    }
    const std::string_view start = origin.substr(0, kBytesMax);
    const bool isKnown = std::ranges::find(logged_, start) != logged_.end();
    if (isKnown || logged_.size() == kOriginsMax) return {};
    return logged_.emplace_back(start);
  }

 private:
  std::vector<std::string> logged_;
  TimePoint since_;
};

}  // namespace stormo::net
