#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace stormo {

/// What parts of this thread's loop have to get before its process is ready.
struct Awaited {
  std::size_t count = 0;
  std::string why = "nothing that answers";  ///< What the latest attempt failed with.
  std::function<void()> onArrived = {};      ///< Called once, when all is there.

  void arrived() {
    if (--count > 0) return;
    if (const auto call = std::exchange(onArrived, {})) call();
  }
};

inline Awaited& awaited() {
  thread_local Awaited here;
  return here;
}

}  // namespace stormo
