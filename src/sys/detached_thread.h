#pragma once

#include <functional>

namespace stormo {

/// Runs `body` in a new thread that nobody joins. All signals are blocked in it: they are for the
/// process's event loop. Throws std::system_error if the system has no thread left.
void startDetachedThread(std::function<void()> body);

}  // namespace stormo
