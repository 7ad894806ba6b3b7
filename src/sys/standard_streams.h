#pragma once

#include <string>

namespace stormo {

/// Opens /dev/null on each of 0, 1 and 2 that is closed: else the next file or socket would get
/// that number, and what is printed would go there. For reading only, so that printing still fails.
/// Throws std::runtime_error.
void openStandardStreams();

/// Writes to stdout, now. Throws std::runtime_error with a sentence if not all could be written.
void printOut(const std::string& text);

}  // namespace stormo
