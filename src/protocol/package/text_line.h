#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/package/package_length.h"

namespace stormo {

/// Workerman's `text` protocol: lines, each ended by "\n".

/// Measures the line at the front of `in`. A line longer than `lineBytesMax`, its end included, is
/// Invalid as soon as that many bytes are there without an end. The first `searched` bytes hold no
/// end and are skipped.
[[nodiscard]] PackageLength lineLength(std::string_view in, std::size_t lineBytesMax,
                                       std::size_t searched = 0);

/// The text of one complete line, a view into it, without its "\n" and a "\r" before that.
[[nodiscard]] std::string_view decodeLine(std::string_view line);

/// Appends the text and "\n". A receiver reads a "\n" within `text` as the end of a line.
void appendLine(std::string_view text, std::string& out);

}  // namespace stormo
