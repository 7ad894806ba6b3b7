#pragma once

#include <cstddef>

namespace stormo {

/// What the administrator lets one process have open, if it asks for it.
[[nodiscard]] std::size_t openFilesMax();
/// Asks for all of it: each connection costs a descriptor.
void raiseOpenFilesLimit();

}  // namespace stormo
