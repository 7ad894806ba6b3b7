#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace stormo {

/// Timers on this thread's EventLoop, which must exist. They fire in step 2 of a turn, in order of
/// their deadlines, never inside the call that made them. A handler that throws is logged; the
/// timer goes on.
class Timer {
 public:
  /// Zero is never an Id, so it can stand for "no timer".
  using Id = std::uint64_t;
  using Duration = std::chrono::steady_clock::duration;

  /// Calls `handler` every `interval` (at least 1 ms) until cancelled. A loop that was busy for
  /// several intervals calls it once.
  static Id add(Duration interval, std::function<void()> handler);
  /// Calls `handler` once, after `delay`.
  static Id once(Duration delay, std::function<void()> handler);
  /// True if it was still to fire. An Id that is gone is harmless: no Id is given twice. A handler
  /// may cancel its own timer.
  static bool cancel(Id id);
};

}  // namespace stormo
