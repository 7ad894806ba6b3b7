#pragma once

#include <chrono>

namespace stormo {

/// Time for deadlines; never steps back. The event loop reads it once per turn.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

}  // namespace stormo
