#include "event/task_inbox.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace stormo {

TaskInbox::TaskInbox() : wakeUp_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wakeUp_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

bool TaskInbox::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (isClosed_) return false;
  tasks_.push_back(std::move(task));
  // One wake-up for all tasks until the loop takes them.
  if (!hasTasks_.exchange(true)) ::eventfd_write(wakeUp_.get(), 1);
  return true;
}

void TaskInbox::takeInto(std::vector<Task>& tasks) {
  if (!hasTasks_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  eventfd_t ignored = 0;
  ::eventfd_read(wakeUp_.get(), &ignored);
  hasTasks_ = false;
  tasks.insert(tasks.end(), std::make_move_iterator(tasks_.begin()),
               std::make_move_iterator(tasks_.end()));
  tasks_.clear();
}

void TaskInbox::close() {
  std::vector<Task> dropped;  // destroyed after the lock was released: it may own anything
  const std::lock_guard lock(mutex_);
  isClosed_ = true;
  dropped.swap(tasks_);
}

}  // namespace stormo
