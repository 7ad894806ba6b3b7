#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace stormo {

/// What parts of this thread's loop wait for before its process is ready.
struct Awaited {
  std::size_t count = 0;
  std::string why = "no answer";         ///< The error of the latest attempt.
  std::function<void()> onArrived = {};  ///< Called once, when nothing is awaited any more.

  void arrived() {
    if (--count > 0) return;
    if (const auto call = std::exchange(onArrived, {})) call();
  }
};

inline Awaited& awaited() {
  thread_local Awaited here;
  return here;
}

/// Marks that one part has work which should end before its process does, such as publishes that
/// are not acknowledged. A worker that stops gracefully waits until no part of its thread has any.
class UnfinishedWork {
 public:
  UnfinishedWork() = default;
  ~UnfinishedWork() { set(false); }
  UnfinishedWork(const UnfinishedWork&) = delete;
  UnfinishedWork& operator=(const UnfinishedWork&) = delete;

  void set(bool isUnfinished) {
    if (std::exchange(isUnfinished_, isUnfinished) == isUnfinished) return;
    isUnfinished ? ++counter() : --counter();
  }
  /// The number of parts of this thread that have unfinished work.
  [[nodiscard]] static std::size_t count() { return counter(); }

 private:
  static std::size_t& counter() {
    thread_local std::size_t count = 0;
    return count;
  }
  bool isUnfinished_ = false;
};

}  // namespace stormo
