#pragma once

#include <string_view>

/// The program's log: lines of your own among those of the library, in any of its processes. One
/// call writes one line with time, level, pid and role, with one system call and without a buffer.
/// Control bytes in `message` are escaped. Lines below the level of --log-level are dropped. The
/// log goes to stderr, or to the file that `start` was given.
namespace stormo::log {

/// What helps to find a fault in the program; dropped by default.
void debug(std::string_view message);
void info(std::string_view message);
/// Something went wrong, and nobody has to act.
void warning(std::string_view message);
/// A person must act.
void error(std::string_view message);

}  // namespace stormo::log
