#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "sys/unique_fd.h"

namespace stormo {

/// The tasks that any thread posts to a loop. Outlives the loop for as long as an
/// EventLoop::Handle refers to it.
class TaskInbox {
 public:
  using Task = std::function<void()>;

  /// Throws std::system_error if the system has no descriptor left.
  TaskInbox();

  /// Callable from any thread. False, having destroyed the task, after close().
  bool post(Task task);

  // On the loop's thread:

  /// Readable while tasks wait.
  [[nodiscard]] int fd() const { return wakeUp_.get(); }
  /// Appends the waiting tasks to `tasks`, in the order of their posting.
  void takeInto(std::vector<Task>& tasks);
  /// Accepts no more tasks, and destroys those that wait.
  void close();

 private:
  const UniqueFd wakeUp_;  // an eventfd
  std::mutex mutex_;
  std::vector<Task> tasks_;
  bool isClosed_ = false;
  std::atomic<bool> hasTasks_ = false;  // spares a turn without tasks the lock
};

}  // namespace stormo
