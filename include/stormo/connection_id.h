#pragma once

#include <cstdint>

namespace stormo {

/// Identifies one connection of one worker process, also after it has closed: a process never
/// reuses an id, and has 2^56 of them. Zero identifies no connection.
using ConnectionId = std::uint64_t;

}  // namespace stormo
