#pragma once

#include <string>

namespace stormo {

/// Opens /dev/null on each of 0, 1 and 2 that is closed, so that the next file or socket does not
/// get that number and receive printed output. Opens it read-only, so that printing still fails.
/// Throws std::runtime_error.
void openStandardStreams();

/// Writes to stdout and flushes. Throws std::runtime_error with a sentence if not all is written.
void printOut(const std::string& text);

}  // namespace stormo
