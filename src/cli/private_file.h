#pragma once

#include <string>
#include <string_view>

namespace stormo::cli {

/// Writes a file that only this user may read, in the place of the one that may be there. It has
/// another name first, `path`.next, so nobody reads half of it. One process at a time may call this
/// for a path. Throws std::runtime_error.
void replacePrivateFile(const std::string& path, std::string_view content);

}  // namespace stormo::cli
