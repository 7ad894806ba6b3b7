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

/// The parts of a turn after the events were handled, in this order: input that was left for later,
/// then, when everything has been read and decoded, output.
enum class Stage {
  ReadBacklog,
  FlushLinks,
  CollectGroups,
  FlushGroups,
  FlushConnections,
  Acknowledge,
  Free,
};
inline constexpr std::size_t kStageCount = 7;

/// Does one stage's work of a turn. Must outlive its registration.
class StageWorker {
 public:
  virtual void onStage(Stage stage) = 0;

 protected:
  ~StageWorker() = default;
};

/// What the library's own parts see of the loop.
class LoopImpl final : EventSink {
 public:
  using TimePoint = EventLoop::TimePoint;
  using Duration = EventLoop::Duration;
  using WatchId = EventLoop::WatchId;

  static LoopImpl& of(EventLoop& loop);
  /// Of the loop of this thread. There must be one.
  static LoopImpl& current();

  LoopImpl();

  /// Ids ride in epoll_event.data beside the sink's tag, so a stale event finds nothing.
  using Tag = std::uint8_t;
  Tag addSink(EventSink& sink);
  void removeSink(Tag tag);

  /// What the system may refuse: ENOSPC (fs.epoll.max_user_watches), ENOMEM, EPERM for a file that
  /// cannot be watched.
  Result<void> add(int fd, std::uint32_t events, Tag tag, Handle id);
  Result<void> modify(int fd, std::uint32_t events, Tag tag, Handle id);
  void remove(int fd);

  void addStage(Stage stage, StageWorker& worker);
  void removeStage(Stage stage, StageWorker& worker);
  /// Some stage has work. If that stage is over already, the next turn does not wait.
  void requestTurn() { hasWork_ = true; }
  /// In the stage FlushLinks, by whoever has sent something: what has come meanwhile is read before
  /// the fan-out, the costly part of a turn, and so leaves with it. A Channel on this machine often
  /// has answered by then. Under load this is what keeps the batches whole: without it, the
  /// messages in flight fall apart into two halves that follow each other, each in sends of its
  /// own.
  void lookAgain() { looksAgain_ = true; }

  /// What time it is: the one clock of the loop and of all that works on it.
  [[nodiscard]] TimePoint readClock() const { return clock_(); }
  /// For tests: time as they make it. Nothing may be waiting for a time yet.
  void useClock(TimePoint (*clock)()) {
    clock_ = clock;
    now = clock();
  }
  /// For tests: the system refuses add() and modify() with this error; zero: no more.
  void refuseWatches(int error) { watchError_ = error; }

  /// From now on counts into `counters`, which must outlive the loop.
  void useCounters(Counters& counters) { counters_ = &counters; }
  Counters& counters() { return *counters_; }

  void turn(Duration wait);

  /// The connections of this loop; what they are is no matter of the loop's.
  std::shared_ptr<void> connections;

  /// How many parts have something on its way that should arrive before the process ends.
  std::size_t unfinished = 0;

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
  /// Drops all handlers, and with them what they own.
  void forgetHandlers();

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
  void flushAndFree();
  void runStage(Stage stage);
  Result<void> control(int operation, int fd, std::uint32_t events, Tag tag, Handle id);
  [[nodiscard]] int waitMilliseconds(Duration wait) const;

  static constexpr std::size_t kEventsPerWait = 512;

  TimePoint (*clock_)() = &std::chrono::steady_clock::now;
  UniqueFd epoll_;
  std::array<epoll_event, kEventsPerWait> ready_;
  std::size_t readyCount_ = 0;
  std::array<EventSink*, 256> sinks_{};
  std::array<std::vector<StageWorker*>, kStageCount> stages_;
  HandleTable<Watch> watches_;
  const std::shared_ptr<TaskInbox> inbox_ = std::make_shared<TaskInbox>();
  std::vector<std::function<void()>> deferred_;
  std::vector<std::function<void()>> spareTasks_;  // empty; its room is used again
  Counters ownCounters_;
  Counters* counters_ = &ownCounters_;
  int watchError_ = 0;
  bool hasWork_ = false;
  bool looksAgain_ = false;
  bool inTurn_ = false;
};

}  // namespace stormo
