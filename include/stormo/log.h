#pragma once

#include <string_view>

/// The program's log: its own lines among those of the library, from any of its processes. One
/// call writes one line with time, level, pid and role, with one system call and without a buffer.
/// Any thread may call it. Control bytes in `message` are escaped. Lines below the level of
/// --log-level are dropped. The log goes to stderr, or to the file of `start --log`; a daemon's
/// goes to the file `log` in the instance's directory by default.
///
/// In a daemon, stdout and stderr of all processes go to the log file too, unchanged: what the
/// program prints, and the message of abort(), assert() or an uncaught exception.
namespace stormo::log {

/// For finding a fault in the program. Dropped at the default level.
void debug(std::string_view message);
/// Normal events of operation.
void info(std::string_view message);
/// Something failed, but nobody has to act.
void warning(std::string_view message);
/// A person must act.
void error(std::string_view message);

}  // namespace stormo::log
