#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace stormo {

/// Timers of the calling thread's EventLoop, which must exist. They fire in step 2 of a turn, in
/// the order of their deadlines, and never inside the call that made them. A handler that throws is
/// logged, and its timer continues. Timers end with their loop.
class Timer {
 public:
  /// Never zero, so zero can stand for "no timer". Never reused.
  using Id = std::uint64_t;
  using Duration = std::chrono::steady_clock::duration;

  /// Calls `handler` every `interval`, which is at least 1 ms, until cancelled. A loop that was
  /// busy for several intervals calls it once.
  static Id add(Duration interval, std::function<void()> handler);
  /// Calls `handler` once, after `delay`.
  static Id once(Duration delay, std::function<void()> handler);
  /// Cancels a timer. False if it has fired (once) or was cancelled, which is harmless. A handler
  /// may cancel its own timer.
  static bool cancel(Id id);
};

}  // namespace stormo
