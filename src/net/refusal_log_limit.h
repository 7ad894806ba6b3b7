#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sys/clock.h"

namespace stormo::net {

/// Limits the log lines about peers that are refused: one for each text, such as an origin, and
/// hour, and kTextsMax in an hour, as peers may send any text.
class RefusalLogLimit {
 public:
  static constexpr std::size_t kTextsMax = 16;
  static constexpr std::size_t kBytesMax = 128;

  /// Returns the text, cut to kBytesMax, if it is to be logged now; else an empty string.
  std::string_view take(std::string_view text, TimePoint now) {
    if (now - since_ >= std::chrono::hours(1)) {
      logged_.clear();
      since_ = now;
    }
    const std::string_view start = text.substr(0, kBytesMax);
    const bool isKnown = std::ranges::find(logged_, start) != logged_.end();
    if (isKnown || logged_.size() == kTextsMax) return {};
    return logged_.emplace_back(start);
  }

 private:
  std::vector<std::string> logged_;
  TimePoint since_;
};

}  // namespace stormo::net
