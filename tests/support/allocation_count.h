#pragma once

#include <cstdint>

namespace stormo::test {

/// Number of calls of operator new in this program, in all threads. Linking allocation_count.cc
/// into a test replaces the global operator new.
[[nodiscard]] std::uint64_t allocationCount();

}  // namespace stormo::test
