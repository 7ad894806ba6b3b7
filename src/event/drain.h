#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace stormo {

/// How long the last output of a process that stops may take, and the peers' closing handshakes.
/// After that it ends all the same.
inline constexpr std::chrono::milliseconds kDrainTime{2000};

/// Checks every 10 ms on this thread's loop whether `isDrained` is true, and then calls `done`
/// once. Returns the timer that checks; cancel it to end this before.
inline Timer::Id whenDrained(std::function<bool()> isDrained, std::function<void()> done) {
  constexpr std::chrono::milliseconds kTick{10};
  const auto timer = std::make_shared<Timer::Id>();
  *timer = Timer::add(kTick, [timer, drained = std::move(isDrained), call = std::move(done)] {
    if (!drained()) return;
    Timer::cancel(*timer);
    call();
  });
  return *timer;
}

}  // namespace stormo
