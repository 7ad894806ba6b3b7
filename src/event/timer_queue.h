#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/handle_table.h"
#include "sys/clock.h"

namespace stormo {

/// Timers ordered by deadline, then by when they were set. Has no clock: the caller passes the
/// time.
class TimerQueue {
 public:
  using Duration = Clock::duration;
  using Handler = std::function<void()>;

  /// Fires at `deadline`, and then every `interval` if that is not zero.
  Handle add(TimePoint deadline, Duration interval, Handler handler);
  /// True if the timer existed and had not fired for the last time.
  bool cancel(Handle id);
  /// Calls the handlers of all timers due at `now`, except those that are added meanwhile. Returns
  /// how many handlers threw.
  std::size_t fire(TimePoint now);

  void clear();
  /// The earliest deadline; none without timers.
  [[nodiscard]] std::optional<TimePoint> next();
  [[nodiscard]] std::size_t size() const { return timers_.size(); }
  /// The number of timers, plus cancelled ones that are still in the heap.
  [[nodiscard]] std::size_t pending() const { return heap_.size(); }

 private:
  struct Entry {
    Entry(Handle self, Duration every, Handler call)
        : id(self), interval(every), handler(std::move(call)) {}
    Handle id;
    Duration interval;
    Handler handler;
  };
  struct Due {
    TimePoint deadline;
    std::uint64_t order;
    Handle id;
    bool operator<(const Due& other) const {  // the std heap keeps its greatest in front
      return deadline != other.deadline ? deadline > other.deadline : order > other.order;
    }
  };

  void push(TimePoint deadline, Handle id);
  Handle pop();
  bool fireOne(Handle id, TimePoint now);
  void dropCancelled();

  HandleTable<Entry> timers_;
  std::vector<Due> heap_;  // may hold cancelled timers: their ids find nothing
  std::vector<Handle> firing_;
  std::uint64_t order_ = 0;
};

}  // namespace stormo
