#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/package/package_length.h"

namespace stormo {

/// Workerman's `text` protocol: lines, each ended by "\n".

/// Judges the line at the front of `in`. A line longer than `lineBytesMax`, its end included, is
/// Invalid as soon as that many bytes are there without an end. The first `searched` bytes are
/// known to hold no end, and are not looked at.
[[nodiscard]] PackageLength lineLength(std::string_view in, std::size_t lineBytesMax,
                                       std::size_t searched = 0);

/// The text of one complete line, a view into it: without its "\n", nor a "\r" before that.
[[nodiscard]] std::string_view decodeLine(std::string_view line);

/// Appends the text and "\n". A "\n" within `text` makes it two lines to whoever reads them.
void appendLine(std::string_view text, std::string& out);

}  // namespace stormo
