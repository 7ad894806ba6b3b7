#pragma once

#include <gtest/gtest.h>
#include <stormo/event_loop.h>

#include <chrono>

namespace stormo::test {

/// No test depends on it: it only ends one that hangs.
inline constexpr std::chrono::seconds kHungAfter{30};

/// Turns the loop until the condition holds. False if the test hangs.
template <typename Condition>
[[nodiscard]] bool turnUntil(EventLoop& loop, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kHungAfter;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.turn(std::chrono::milliseconds(5));
  }
  return true;
}

/// Turns without waiting until nothing is left to do at once: what was sent has left, what was
/// closed is gone, as far as no peer and no timer is waited for.
inline void settle(EventLoop& loop) {
  for (int i = 0; i < 5; ++i) loop.turn(std::chrono::milliseconds(0));
}

/// A test with a loop of its own.
class LoopTest : public testing::Test {
 protected:
  template <typename Condition>
  [[nodiscard]] bool turnUntil(Condition condition) {
    return test::turnUntil(loop, condition);
  }
  void turn() { loop.turn(std::chrono::milliseconds(0)); }
  void settle() { test::settle(loop); }

  EventLoop loop;
};

}  // namespace stormo::test
