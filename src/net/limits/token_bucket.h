#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "sys/clock.h"

namespace stormo::net {

/// A token bucket that holds what its rate yields in kBurst, as the time until which its tokens are
/// spent (ITU-T I.371, "virtual scheduling"). A client with a steady rate below the bucket's never
/// waits; bursts get no more than it on average.
class TokenBucket {
 public:
  static constexpr Clock::duration kBurst = std::chrono::seconds(1);

  /// The time in which a rate of `perSecond`, at least 1, yields that many tokens.
  [[nodiscard]] static Clock::duration costOf(std::size_t tokens, std::size_t perSecond) {
    const std::chrono::duration<double> cost(static_cast<double>(tokens) /
                                             static_cast<double>(perSecond));
    return std::chrono::duration_cast<Clock::duration>(cost);
  }

  /// Zero if the bucket has tokens of that cost; else the time until it will have. A cost above
  /// kBurst counts as kBurst.
  [[nodiscard]] Clock::duration waitFor(Clock::duration cost, TimePoint now) const {
    return std::max(Clock::duration::zero(), spentUntil_ + std::min(cost, kBurst) - kBurst - now);
  }
  /// Takes tokens, also if the bucket does not have them: the debt delays what comes next.
  void spend(Clock::duration cost, TimePoint now) {
    spentUntil_ = std::max(spentUntil_, now) + cost;
  }

 private:
  TimePoint spentUntil_{};
};

}  // namespace stormo::net
