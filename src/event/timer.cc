#include <stormo/timer.h>

#include <algorithm>

#include "event/loop_impl.h"

namespace stormo {
namespace {

constexpr Timer::Duration kShortest = std::chrono::milliseconds(1);
constexpr Timer::Duration kLongest = std::chrono::years(100);  // added to now, it does not overflow

Timer::Id set(Timer::Duration delay, Timer::Duration interval, std::function<void()> handler) {
  delay = std::min(delay, kLongest);
  interval = std::min(interval, kLongest);
  LoopImpl& loop = LoopImpl::current();
  return loop.timers.add(loop.readClock() + delay, interval, std::move(handler)).packed();
}

}  // namespace

Timer::Id Timer::add(Duration interval, std::function<void()> handler) {
  interval = std::max(interval, kShortest);
  return set(interval, interval, std::move(handler));
}

Timer::Id Timer::once(Duration delay, std::function<void()> handler) {
  return set(std::max(delay, Duration::zero()), Duration::zero(), std::move(handler));
}

bool Timer::cancel(Id id) { return LoopImpl::current().timers.cancel(Handle::unpack(id)); }

}  // namespace stormo
