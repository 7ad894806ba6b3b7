#pragma once

#include <functional>
#include <thread>

namespace stormo {

/// Runs `body` in a new thread, which the caller joins or detaches. All signals are blocked in it,
/// so that the process's event loop gets them. Throws std::system_error if the system cannot create
/// a thread.
[[nodiscard]] std::thread startThread(std::function<void()> body);
/// The same in a detached thread.
void startDetachedThread(std::function<void()> body);

}  // namespace stormo
