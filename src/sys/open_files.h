#pragma once

#include <cstddef>

namespace stormo {

/// The hard limit of open files of this process.
[[nodiscard]] std::size_t openFilesMax();
/// Raises the soft limit to the hard limit, because each connection needs a descriptor.
void raiseOpenFilesLimit();

/// True if the process may open `count` more files now. `open` is any open descriptor. A descriptor
/// that was just opened tells the same at no cost: see isLowDescriptor().
[[nodiscard]] bool hasFreeDescriptors(int open, std::size_t count);
/// True if at least `count` descriptors are left for the files opened after this one, `fd`: the
/// system always uses the lowest free number.
[[nodiscard]] bool isLowDescriptor(int fd, std::size_t count);

/// Closes the descriptors inherited at exec(), except 0, 1 and 2: a daemon must not keep locks,
/// pipes and terminals of its parent. Descriptors that the program opened itself stay open.
void closeInheritedDescriptors();

}  // namespace stormo
