#pragma once

#include <cstddef>

namespace stormo {

/// The hard limit of open files of this process.
[[nodiscard]] std::size_t openFilesMax();
/// Raises the soft limit to the hard limit, because each connection needs a descriptor.
void raiseOpenFilesLimit();

/// Closes the descriptors inherited at exec(), except 0, 1 and 2: a daemon must not keep locks,
/// pipes and terminals of its parent. Descriptors that the program opened itself stay open.
void closeInheritedDescriptors();

}  // namespace stormo
