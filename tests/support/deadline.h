#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace stormo::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr int kSlowness = 4;
#else
inline constexpr int kSlowness = 1;
#endif

/// The time limit of a test. Every wait uses it, so it ends tests that hang; no result depends on
/// the time that a test takes.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::chrono::seconds limit = std::chrono::seconds(60))
      : end_(Clock::now() + limit * kSlowness) {}

  [[nodiscard]] std::chrono::milliseconds left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
  }
  [[nodiscard]] bool isOver() const { return left().count() <= 0; }
  /// The remaining time for poll(2).
  [[nodiscard]] int pollMilliseconds() const {
    return isOver() ? 0 : static_cast<int>(left().count());
  }
  [[nodiscard]] Clock::time_point end() const { return end_; }

  /// Throws when the time is over; the message names `what`.
  void check(const std::string& what) const {
    if (isOver()) throw std::runtime_error("timed out waiting for " + what);
  }

 private:
  Clock::time_point end_;
};

/// Polls `condition`. Returns true as soon as it is true, false at the deadline. For conditions
/// that no event reports.
inline bool eventually(const Deadline& deadline, const std::function<bool()>& condition) {
  while (!condition()) {
    if (deadline.isOver()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace stormo::test
