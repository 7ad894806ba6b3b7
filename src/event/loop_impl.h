#pragma once

#include <stormo/event_loop.h>
#include <stormo/result.h>
#include <sys/epoll.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/handle_table.h"
#include "event/task_inbox.h"
#include "event/timer_queue.h"
#include "sys/unique_fd.h"

namespace stormo {

/// Receives the events of the descriptors that it added. Must outlive its registration.
class EventSink {
 public:
  virtual void onReady(Handle id, std::uint32_t events) = 0;

 protected:
  ~EventSink() = default;
};

/// The work of a turn that is not the loop's own: reading on, flushing and freeing connections. A
/// loop has one at most, and owns it.
class TurnWork {
 public:
  virtual ~TurnWork() = default;
  /// All events of this turn were dispatched; deferred tasks and timers run next.
  virtual void onDispatched() = 0;
  /// Deferred tasks and timers have run; the turn ends when this returns.
  virtual void onTurnEnd() = 0;
};

/// The loop, with what only the library's own parts use.
class LoopImpl final : EventSink {
 public:
  using TimePoint = EventLoop::TimePoint;
  using Duration = EventLoop::Duration;
  using WatchId = EventLoop::WatchId;

  static LoopImpl& of(EventLoop& loop);
  /// The one of this thread. There must be a loop.
  static LoopImpl& current();

  LoopImpl();

  /// Identifies a sink in epoll_event.data, next to the id: a stale event finds no object.
  using Tag = std::uint8_t;
  Tag addSink(EventSink& sink);
  void removeSink(Tag tag);

  /// Watches `fd` for the sink of this tag. Errors: ENOSPC (fs.epoll.max_user_watches), ENOMEM,
  /// EPERM for a file that cannot be watched.
  Result<void> add(int fd, std::uint32_t events, Tag tag, Handle id);
  Result<void> modify(int fd, std::uint32_t events, Tag tag, Handle id);
  void remove(int fd);

  /// Installs the work of each turn, for the rest of the loop's life. There must be none yet.
  void install(std::unique_ptr<TurnWork> work);
  /// What was installed, or null. Null, too, while the loop is being destroyed.
  [[nodiscard]] TurnWork* turnWork() const { return turnWork_.get(); }
  /// There is work for onTurnEnd(). Requested during onTurnEnd(), the next turn does not wait.
  void requestTurn() { hasWork_ = true; }
  /// Dispatches what has arrived meanwhile, without waiting. Only in onTurnEnd().
  void dispatchArrived();
  /// Expires when the loop is destroyed. Objects that may outlive their loop keep one.
  [[nodiscard]] std::weak_ptr<const void> lifetime() const { return lifetime_; }

  /// The time by the clock of the loop, which everything on the loop uses.
  [[nodiscard]] TimePoint readClock() const { return clock_(); }
  /// For tests: replaces the clock. No timer may be set yet.
  void useClock(TimePoint (*clock)()) {
    clock_ = clock;
    now = clock();
  }
  /// For tests: add() and modify() fail with this errno. Zero: no longer.
  void refuseWatches(int error) { watchError_ = error; }

  /// Counts into `counters` from now on. They must outlive the loop.
  void useCounters(Counters& counters) { counters_ = &counters; }
  Counters& counters() { return *counters_; }

  void turn(Duration wait);

  /// The loop of a process that forks others, and therefore must have no threads.
  bool forks = false;

  TimerQueue timers;
  TimePoint now = std::chrono::steady_clock::now();
  bool stopped = false;

  WatchId watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> onReady);
  void rewatch(WatchId id, std::uint32_t events);
  void unwatch(WatchId id);
  void defer(std::function<void()> task) { deferred_.push_back(std::move(task)); }
  [[nodiscard]] const std::shared_ptr<TaskInbox>& inbox() const { return inbox_; }
  /// Ends lifetime(), then drops the turn's work and all handlers, and with them what they own.
  void clear();

 private:
  struct Watch {
    Watch(Handle self, int watchedFd, std::function<void(std::uint32_t)> handler)
        : id(self), fd(watchedFd), onReady(std::move(handler)) {}
    Handle id;
    int fd;
    std::function<void(std::uint32_t)> onReady;
  };

  void onReady(Handle id, std::uint32_t events) override;
  void countThrown(std::size_t handlers);
  void receive(int waitMs);
  void dispatch();
  Result<void> control(int operation, int fd, std::uint32_t events, Tag tag, Handle id);
  [[nodiscard]] int waitMilliseconds(Duration wait) const;

  static constexpr std::size_t kEventsPerWait = 512;

  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
  std::unique_ptr<TurnWork> turnWork_;
  TimePoint (*clock_)() = &std::chrono::steady_clock::now;
  UniqueFd epoll_;
  std::array<epoll_event, kEventsPerWait> ready_;
  std::size_t readyCount_ = 0;
  std::array<EventSink*, 256> sinks_{};
  HandleTable<Watch> watches_;
  const std::shared_ptr<TaskInbox> inbox_ = std::make_shared<TaskInbox>();
  std::vector<std::function<void()>> deferred_;
  std::vector<std::function<void()>> spareTasks_;  // empty; keeps its capacity for the next turn
  Counters ownCounters_;
  Counters* counters_ = &ownCounters_;
  int watchError_ = 0;
  bool hasWork_ = false;
  bool inTurn_ = false;
};

}  // namespace stormo
