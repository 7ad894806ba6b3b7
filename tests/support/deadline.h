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

/// The one time limit of a test. Everything that waits is given it, so that it fails what hangs and
/// nothing else: no test is right or wrong by the time that it takes.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::chrono::seconds limit = std::chrono::seconds(60))
      : end_(Clock::now() + limit * kSlowness) {}

  [[nodiscard]] std::chrono::milliseconds left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
  }
  [[nodiscard]] bool isOver() const { return left().count() <= 0; }
  /// For poll(2) and its like.
  [[nodiscard]] int pollMilliseconds() const {
    return isOver() ? 0 : static_cast<int>(left().count());
  }
  [[nodiscard]] Clock::time_point end() const { return end_; }

  /// Throws once the time is over; `what` was waited for.
  void check(const std::string& what) const {
    if (isOver()) throw std::runtime_error("hung: waited in vain for " + what);
  }

 private:
  Clock::time_point end_;
};

/// For what can only be asked again and again. True as soon as `condition` is; false if it is not
/// before the deadline.
inline bool eventually(const Deadline& deadline, const std::function<bool()>& condition) {
  while (!condition()) {
    if (deadline.isOver()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace stormo::test
