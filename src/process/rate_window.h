#pragma once

#include <cstdint>

#include "sys/clock.h"

namespace stormo::process {

/// The rate of a growing total, from a sample every few seconds. Keeps the last two samples, and
/// measures from the later one that is at least 1 s old. Gets the time as a parameter.
class RateWindow {
 public:
  void sample(TimePoint now, std::uint64_t total) {
    earlier_ = latest_;
    latest_ = {now, total};
  }

  /// The rate per second from that sample to `now`; 0 while no sample is old enough.
  [[nodiscard]] double perSecond(TimePoint now, std::uint64_t total) const {
    const Sample& from = now - latest_.at >= kShortest ? latest_ : earlier_;
    if (from.at == TimePoint{} || now - from.at < kShortest) return 0;
    return static_cast<double>(total - from.total) /
           std::chrono::duration<double>(now - from.at).count();
  }

 private:
  static constexpr Clock::duration kShortest = std::chrono::seconds(1);

  struct Sample {
    TimePoint at{};
    std::uint64_t total = 0;
  };
  Sample earlier_;
  Sample latest_;
};

}  // namespace stormo::process
