#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace stormo {

class LoopImpl;
class TaskInbox;

/// The loop of one thread, over epoll. It works in turns:
///   1. wait for events, and read sockets; 2. decode and call handlers, in memory only;
///   3. flush: Channel links, group batches, single connections; 4. free closed connections.
/// Sockets are written in step 3 only, so the output of one turn for one peer leaves in one call.
///
/// There is at most one loop per thread; current() finds it. Not copyable. Every function must be
/// called on the loop's thread, except post() and Handle::post().
class EventLoop {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// The loop of this thread, which must exist: otherwise the process aborts.
  static EventLoop& current();
  /// The loop of this thread, or null.
  static EventLoop* currentOrNull();

  /// Runs turns until stop(). May be called again afterwards. If run() or turn() is called in a
  /// handler, the process aborts: a handler never waits, it continues in another handler.
  void run();
  /// Runs one turn, which waits for events for at most `wait`.
  void turn(Duration wait);
  /// Ends run() after the current turn, whose output is still flushed. May be called in any
  /// handler.
  void stop();

  /// The time at which this turn began. The clock is read once per turn.
  [[nodiscard]] TimePoint now() const;

  // --- For programs with file descriptors of their own ---

  /// Watches `fd` (level-triggered) and calls `onReady(events)` with EPOLLIN, EPOLLOUT, … in step
  /// 2. The caller keeps the fd and must call unwatch() before it closes it. A WatchId is never
  /// zero. watch() and rewatch() throw std::system_error if the system cannot watch that fd, and
  /// rewatch() throws std::invalid_argument for an unknown id. A handler or task that throws is
  /// logged, and the loop continues.
  using WatchId = std::uint64_t;
  WatchId watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> onReady);
  void rewatch(WatchId id, std::uint32_t events);
  void unwatch(WatchId id);

  /// Runs `task` in step 2 of the next turn. If another thread calls this, the process aborts: use
  /// post().
  void defer(std::function<void()> task);

  // --- For programs with threads of their own ---

  /// Runs `task` on the loop's thread, in step 2 of the next turn, and wakes a loop that waits. Any
  /// thread may call it; tasks run in the order of the calls. The loop must exist during the call:
  /// a thread that may outlive it uses a Handle. A stopped loop keeps the tasks for its next turn.
  /// Tasks that have not run when the loop is destroyed are destroyed with it, on its thread.
  void post(std::function<void()> task);

  /// Posts to a loop that may be destroyed meanwhile. Small, and copyable to any thread.
  class Handle {
   public:
    /// As EventLoop::post(). False if the loop no longer exists: then `task` does not run, and is
    /// destroyed on the calling thread.
    bool post(std::function<void()> task) const;

   private:
    friend class EventLoop;
    explicit Handle(std::shared_ptr<TaskInbox> inbox) : inbox_(std::move(inbox)) {}
    std::shared_ptr<TaskInbox> inbox_;
  };
  [[nodiscard]] Handle handle() const;

 private:
  friend class LoopImpl;
  std::unique_ptr<LoopImpl> impl_;
};

}  // namespace stormo
