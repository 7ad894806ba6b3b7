#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

/// One line, one write, `key=value` behind a short sentence, with time, pid and process name.
/// Debug: a peer's misbehaviour. Info: what an operator did. Warning: mended by itself.
/// Error: a person must act. Never a payload; nothing per message.
namespace stormo::log {

enum class Level { Debug, Info, Warning, Error };

/// Where lines go (default: stderr) and from which level on.
void setLevel(Level level);
/// Appends to a file from now on; false if it cannot be opened.
bool openFile(const std::string& path);
/// The name behind the pid: "master", "worker group-send/2".
void setProcessName(std::string_view name);

void write(Level level, std::string_view line);
[[nodiscard]] bool enabled(Level level);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Debug)) write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Info)) write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace stormo::log
