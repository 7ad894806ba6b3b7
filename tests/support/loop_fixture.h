#pragma once

#include <gtest/gtest.h>
#include <stormo/event_loop.h>

#include <chrono>

namespace stormo::test {

/// Ends a test that hangs; no result depends on it.
inline constexpr std::chrono::seconds kHungAfter{30};

/// Runs turns until the condition is true. Returns false at the time limit.
template <typename Condition>
[[nodiscard]] bool turnUntil(EventLoop& loop, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kHungAfter;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.turn(std::chrono::milliseconds(5));
  }
  return true;
}

/// Runs turns without waiting until all output is sent and all closed connections are freed, except
/// for what needs a peer or a timer.
inline void settle(EventLoop& loop) {
  for (int i = 0; i < 5; ++i) loop.turn(std::chrono::milliseconds(0));
}

/// A test with its own event loop.
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
