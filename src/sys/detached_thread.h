#pragma once

#include <functional>

namespace stormo {

/// Runs `body` in a new detached thread. All signals are blocked in it, so that the process's event
/// loop gets them. Throws std::system_error if the system cannot create a thread.
void startDetachedThread(std::function<void()> body);

}  // namespace stormo
