#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "sys/clock.h"

namespace stormo::net {

/// One deadline for each of very many connections, by the index of their handle. Setting, moving
/// and clearing a deadline takes constant time. A deadline expires up to kTick late, never early,
/// except that one beyond the wheel's horizon expires at the horizon: its owner sets it again.
class DeadlineWheel {
 public:
  static constexpr Clock::duration kTick = std::chrono::milliseconds(16);
  static constexpr std::size_t kBuckets = 4096;  // a horizon of 65 s

  explicit DeadlineWheel(TimePoint now) : start_(now) {}

  void set(std::uint32_t index, TimePoint deadline, TimePoint now);
  void clear(std::uint32_t index);
  [[nodiscard]] bool isSet(std::uint32_t index) const {
    return index < links_.size() && links_[index].bucket != kUnset;
  }

  /// Calls `due(index)` for each deadline whose tick has passed. The deadline is cleared before the
  /// call, which may set it again.
  template <typename Due>
  void expire(TimePoint now, Due due) {
    const std::int64_t nowTick = tickOf(now);
    while (current_ < nowTick && count_ > 0) {
      const std::optional<std::int64_t> tick = nextTick();
      if (!tick || *tick >= nowTick) break;
      current_ = *tick;
      std::uint32_t& head = heads_[bucketOf(*tick)];
      while (head != kNone) {
        const std::uint32_t index = head;
        clear(index);
        due(index);
      }
      current_ = std::max(current_, *tick + 1);  // set() in due() may have moved it on
    }
    if (current_ < nowTick) current_ = nowTick;
  }

  /// When expire() has work next; none while the wheel is empty.
  [[nodiscard]] std::optional<TimePoint> next() const;

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  static constexpr std::uint16_t kUnset = 0xffff;

  struct Link {
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    std::uint16_t bucket = kUnset;
  };

  [[nodiscard]] std::int64_t tickOf(TimePoint time) const { return (time - start_) / kTick; }
  static std::size_t bucketOf(std::int64_t tick) {
    return static_cast<std::size_t>(tick) % kBuckets;
  }
  /// The first tick from current_ on whose bucket is not empty.
  [[nodiscard]] std::optional<std::int64_t> nextTick() const;

  TimePoint start_;
  std::int64_t current_ = 0;  // ticks before it have been expired
  std::size_t count_ = 0;
  std::vector<Link> links_;
  std::vector<std::uint32_t> heads_ = std::vector<std::uint32_t>(kBuckets, kNone);
  std::array<std::uint64_t, kBuckets / 64> occupied_{};
};

}  // namespace stormo::net
