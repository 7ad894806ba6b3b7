#pragma once

namespace stormo {

/// Prints what failed and where in one write, then aborts.
[[noreturn]] void assertionFailed(const char* condition, const char* file, int line);

}  // namespace stormo

/// A bug check, on in every build: the process dies and its master starts another.
/// Never for what a peer, a user or the operating system may cause.
#define STORMO_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::stormo::assertionFailed(#condition, __FILE__, __LINE__))
