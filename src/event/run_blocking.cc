#include <stormo/event_loop.h>
#include <stormo/run_blocking.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>

#include "event/call_handler.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "sys/detached_thread.h"

namespace stormo {
namespace {

struct Waiting {
  std::shared_ptr<detail::BlockingCall> call;
  EventLoop::Handle loop;
};

/// The accepted calls of this thread's loop that have not finished. A worker that stops waits for
/// them.
class PendingCalls {
 public:
  void add() {
    ++count_;
    work_.set(true);
  }
  void remove() { work_.set(--count_ > 0); }

 private:
  std::size_t count_ = 0;
  UnfinishedWork work_;
};

PendingCalls& pendingHere() {
  thread_local PendingCalls pending;
  return pending;
}

/// The threads of one process. Never destroyed: threads may run until the process ends.
class ThreadPool {
 public:
  explicit ThreadPool(const BlockingLimits& limits) : limits_(limits) {}

  BlockingStatus add(Waiting next) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= idle_ && threads_ < limits_.threads) startThread();
    // A thread that is idle, or has just been started, takes its call at once: it does not wait.
    if (waiting_.size() >= idle_ + limits_.waitingMax) return BlockingStatus::Full;
    waiting_.push_back(std::move(next));
    wakeUp_.notify_one();
    return BlockingStatus::Accepted;
  }

 private:
  /// Without it, the threads that exist do the work.
  void startThread() {
    try {
      startDetachedThread([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_ == 0) throw;
      return;
    }
    ++threads_;
    ++idle_;
  }

  [[noreturn]] void run() {
    while (true) {
      Waiting next = take();
      next.call->execute();
      // Before the result reaches the loop, so that a call made there finds this thread idle.
      becomeIdle();
      next.loop.post([call = std::move(next.call)] { finish(*call); });
    }
  }

  Waiting take() {
    std::unique_lock lock(mutex_);
    wakeUp_.wait(lock, [this] { return !waiting_.empty(); });
    --idle_;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
  }

  void becomeIdle() {
    const std::lock_guard lock(mutex_);
    ++idle_;
  }

  static void finish(detail::BlockingCall& call) {
    pendingHere().remove();
    if (!callHandler("runBlocking", [&call] { call.finish(); }))
      LoopImpl::current().counters().handlerErrors.add();
  }

  const BlockingLimits limits_;
  std::mutex mutex_;
  std::condition_variable wakeUp_;
  std::deque<Waiting> waiting_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;  // those that wait for a call, or will soon
};

/// A fork copies this, but no thread: the child makes a pool of its own.
struct OfProcess {
  std::mutex mutex;
  BlockingLimits limits;
  ThreadPool* pool = nullptr;
  pid_t pid = 0;

  [[nodiscard]] bool hasPool() const { return pool != nullptr && pid == ::getpid(); }
};

OfProcess& ofProcess() {
  static OfProcess here;
  return here;
}

ThreadPool& pool() {
  OfProcess& here = ofProcess();
  const std::lock_guard lock(here.mutex);
  if (!here.hasPool()) {
    here.pool = new ThreadPool(here.limits);
    here.pid = ::getpid();
  }
  return *here.pool;
}

}  // namespace

void setBlockingLimits(const BlockingLimits& limits) {
  if (limits.threads == 0) {
    throw std::invalid_argument("setBlockingLimits(): threads must be at least 1");
  }
  OfProcess& here = ofProcess();
  const std::lock_guard lock(here.mutex);
  if (here.hasPool()) {
    throw std::logic_error("setBlockingLimits() must be called before the first runBlocking()");
  }
  here.limits = limits;
}

BlockingStatus detail::runInThread(std::shared_ptr<BlockingCall> call) {
  if (LoopImpl::current().forks) {
    throw std::logic_error("runBlocking() in the master, which must have no threads");
  }
  const BlockingStatus status =
      pool().add({.call = std::move(call), .loop = EventLoop::current().handle()});
  if (status == BlockingStatus::Accepted) pendingHere().add();
  return status;
}

}  // namespace stormo
