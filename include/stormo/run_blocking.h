#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace stormo {

/// The outcome of runBlocking().
enum class [[nodiscard]] BlockingStatus{
    Accepted,
    Full,  ///< BlockingLimits::waitingMax calls wait for a thread. No function is called.
};

/// The limits of a process's threads for blocking work.
struct BlockingLimits {
  std::size_t threads = 4;  ///< Maximum number of threads; each is created when it is first needed.
  std::size_t waitingMax = 1000;  ///< Maximum number of calls that wait for a thread.
};

/// Sets the limits of this process. Call it in onWorkerStart or in main, before the first
/// runBlocking() of the process; later it throws std::logic_error. Throws std::invalid_argument if
/// `threads` is 0.
void setBlockingLimits(const BlockingLimits& limits);

namespace detail {

class BlockingCall {
 public:
  BlockingCall() = default;
  BlockingCall(const BlockingCall&) = delete;
  BlockingCall& operator=(const BlockingCall&) = delete;
  virtual ~BlockingCall() = default;
  virtual void execute() = 0;  // in a thread
  virtual void finish() = 0;   // on the loop
};

BlockingStatus runInThread(std::shared_ptr<BlockingCall> call);

}  // namespace detail

/// Runs `work` in a thread of this process's pool, then on this thread's loop `then` with what it
/// returned, or `onError` if it threw. So a database query or a slow computation does not stop the
/// event loop:
///
///     const auto status = stormo::runBlocking(
///         [id] { return database().load(id); },                     // in a thread
///         [&worker, client = connection.id()](const User& user) {   // on the loop
///           if (auto* peer = worker.find(client)) (void)peer->send(user.name);
///         },
///         [](const std::exception& error) { stormo::log::warning(error.what()); });
///     if (status == stormo::BlockingStatus::Full) (void)connection.send("busy");
///
/// `work` runs at the same time as the loop and other work: it must not use connections, timers,
/// groups or the Channel, and takes copies of what it needs. `then` and `onError` are ordinary
/// handlers: one of them is called once, in step 2 of a turn, and an exception of it is logged.
/// `onError` receives the exception of `work`, as std::runtime_error if it is no std::exception.
/// All functions and the result are destroyed on the loop's thread, unless the loop is destroyed
/// first.
///
/// A worker process that stops waits for pending work as it waits for its clients: until the
/// graceful timeout, and for 2 s after it has closed its clients. Then the process ends, and `then`
/// is not called.
///
/// Only for threads with a loop, in worker processes or programs without a master: throws
/// std::logic_error in the master, which forks. Throws std::system_error if the first thread
/// cannot be created.
template <typename Work, typename Then, typename OnError>
BlockingStatus runBlocking(Work work, Then then, OnError onError) {
  using Returned = std::decay_t<std::invoke_result_t<Work&>>;

  class Call final : public detail::BlockingCall {
   public:
    Call(Work work, Then then, OnError onError)
        : work_(std::move(work)), then_(std::move(then)), onError_(std::move(onError)) {}

    void execute() override {
      try {
        if constexpr (std::is_void_v<Returned>) {
          work_();
        } else {
          result_.emplace(work_());
        }
      } catch (...) {
        thrown_ = std::current_exception();
      }
    }

    void finish() override {
      if (thrown_ != nullptr) return fail();
      if constexpr (std::is_void_v<Returned>) {
        then_();
      } else {
        then_(std::move(*result_));
      }
    }

   private:
    void fail() {
      try {
        std::rethrow_exception(thrown_);
      } catch (const std::exception& error) {
        onError_(error);
      } catch (...) {
        onError_(std::runtime_error("not a std::exception"));
      }
    }

    using Kept = std::conditional_t<std::is_void_v<Returned>, bool, Returned>;
    Work work_;
    Then then_;
    OnError onError_;
    std::optional<Kept> result_;
    std::exception_ptr thrown_;
  };

  return detail::runInThread(
      std::make_shared<Call>(std::move(work), std::move(then), std::move(onError)));
}

/// The same without onError: what `work` throws is logged as an error and counted as a handler's
/// exception.
template <typename Work, typename Then>
BlockingStatus runBlocking(Work work, Then then) {
  return runBlocking(std::move(work), std::move(then), [](const std::exception&) { throw; });
}

}  // namespace stormo
