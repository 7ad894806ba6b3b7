#pragma once

namespace stormo {

/// Prints the failed condition and its place in one write, then aborts.
[[noreturn]] void assertionFailed(const char* condition, const char* file, int line);

}  // namespace stormo

/// A check for bugs, active in every build. On failure the process aborts and its master starts
/// another. Not for conditions that a peer, a user or the operating system can cause.
#define STORMO_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::stormo::assertionFailed(#condition, __FILE__, __LINE__))
