#include "channel/log/sync_thread.h"

#include <utility>

#include "sys/detached_thread.h"

namespace stormo::channel {

SyncThread::~SyncThread() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wakeUp_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SyncThread::add(std::function<Result<void>()> work, std::function<void(Result<void>)> done) {
  if (!thread_.joinable()) thread_ = startThread([this] { run(); });
  // A result that reaches the loop after this object has ended is dropped.
  auto ifAlive = [alive = std::weak_ptr(lifetime_), done = std::move(done)](Result<void> result) {
    if (!alive.expired()) done(result);
  };
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back({std::move(work), std::move(ifAlive), EventLoop::current().handle()});
  }
  wakeUp_.notify_one();
}

void SyncThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wakeUp_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
    if (stopped_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    const Result<void> result = task.work();
    task.work = {};
    task.loop.post([done = std::move(task.done), result] { done(result); });
    lock.lock();
  }
}

}  // namespace stormo::channel
