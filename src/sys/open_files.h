#pragma once

#include <cstddef>

namespace stormo {

/// What the administrator lets one process have open, if it asks for it.
[[nodiscard]] std::size_t openFilesMax();
/// Asks for all of it: each connection costs a descriptor.
void raiseOpenFilesLimit();

/// Closes the descriptors that the program was started with, but for 0, 1 and 2: a daemon must not
/// hold locks, pipes and terminals of who started it. What the program opened itself stays open.
void closeInheritedDescriptors();

}  // namespace stormo
