#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace stormo {

class LoopImpl;
class TaskInbox;

/// One thread's loop over epoll, working in turns:
///   1. wait, and read all that is ready; 2. decode and route, touching memory only;
///   3. flush: Channel links, group batches, single connections; 4. free what was closed.
/// No socket is written outside step 3, so what one turn produces for one peer leaves in one call.
///
/// There is at most one loop per thread; current() finds it. Not copyable. Every function belongs
/// to the loop's thread, except post() and Handle::post().
class EventLoop {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// The loop of this thread. There must be one.
  static EventLoop& current();
  /// The same, or null.
  static EventLoop* currentOrNull();

  /// Turns until stop(). May be called again afterwards, but neither of the two from a handler: the
  /// process aborts. A handler that has to wait for something goes on in another handler.
  void run();
  /// One turn, waiting for at most `wait` for something to happen.
  void turn(Duration wait);
  /// Ends run() after the current turn, whose output is still flushed. Callable from any handler.
  void stop();

  /// The time at which this turn began; the clock is read once a turn.
  [[nodiscard]] TimePoint now() const;

  // --- For programs that bring their own file descriptors ---

  /// Watches `fd` (level-triggered) and calls `onReady(events)` with EPOLLIN, EPOLLOUT, … in
  /// step 2. The caller keeps the fd and must unwatch before closing it. Zero is never a WatchId.
  /// Both throw std::system_error if the system cannot watch that fd. A handler or task that throws
  /// is logged; the loop goes on.
  using WatchId = std::uint64_t;
  WatchId watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> onReady);
  void rewatch(WatchId id, std::uint32_t events);
  void unwatch(WatchId id);

  /// Runs `task` in step 2 of the next turn. From another thread the process aborts: use post().
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
