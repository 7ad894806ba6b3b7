#include "event/timer_queue.h"

#include <algorithm>

#include "event/call_handler.h"

namespace stormo {

Handle TimerQueue::add(TimePoint deadline, Duration interval, Handler handler) {
  dropCancelled();
  const Handle id = timers_.create(interval, std::move(handler)).id;
  push(deadline, id);
  return id;
}

bool TimerQueue::cancel(Handle id) {
  if (timers_.find(id) == nullptr) return false;
  timers_.destroy(id);
  return true;
}

void TimerQueue::clear() {
  timers_.forEach([this](const Entry& timer) { timers_.destroy(timer.id); });
}

std::size_t TimerQueue::fire(TimePoint now) {
  // Taken out first: timers that handlers add do not fire in this call.
  firing_.clear();
  while (!heap_.empty() && heap_.front().deadline <= now) firing_.push_back(pop());
  std::size_t thrown = 0;
  for (const Handle id : firing_) thrown += fireOne(id, now) ? 0 : 1;
  return thrown;
}

bool TimerQueue::fireOne(Handle id, TimePoint now) {
  Entry* timer = timers_.find(id);
  if (timer == nullptr) return true;  // cancelled
  const Duration interval = timer->interval;
  // Moved out while it runs: the handler may cancel its own timer.
  Handler handler = std::move(timer->handler);
  if (interval == Duration::zero()) timers_.destroy(id);
  const bool returned = callHandler("timer", handler);
  if (interval == Duration::zero()) return returned;
  if (Entry* periodic = timers_.find(id)) {
    periodic->handler = std::move(handler);
    push(now + interval, id);
  }
  return returned;
}

std::optional<TimePoint> TimerQueue::next() {
  while (!heap_.empty() && timers_.find(heap_.front().id) == nullptr) {
    pop();
  }
  if (heap_.empty()) return std::nullopt;
  return heap_.front().deadline;
}

void TimerQueue::push(TimePoint deadline, Handle id) {
  heap_.push_back({deadline, order_++, id});
  std::push_heap(heap_.begin(), heap_.end());
}

Handle TimerQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end());
  const Handle id = heap_.back().id;
  heap_.pop_back();
  return id;
}

void TimerQueue::dropCancelled() {
  // Timers that are set and cancelled in a loop must not grow the heap without limit.
  if (heap_.size() < 64 || heap_.size() < 2 * timers_.size()) return;
  std::erase_if(heap_, [this](const Due& due) { return timers_.find(due.id) == nullptr; });
  std::make_heap(heap_.begin(), heap_.end());
}

}  // namespace stormo
