#pragma once

#include <stormo/event_loop.h>
#include <stormo/result.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace stormo::channel {

/// One thread that waits for the disk, so that the loop does not. It starts with the first work.
class SyncThread {
 public:
  SyncThread() = default;
  /// Waits for work that has begun; its `done` is not called, nor that of later work.
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  /// Calls `work` on the thread, in the order of the calls, and then `done` with its result on the
  /// calling thread's loop.
  void add(std::function<Result<void>()> work, std::function<void(Result<void>)> done);

 private:
  struct Task {
    std::function<Result<void>()> work;
    std::function<void(Result<void>)> done;
    EventLoop::Handle loop;
  };
  void run();

  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wakeUp_;
  std::deque<Task> tasks_;
  bool stopped_ = false;
};

}  // namespace stormo::channel
