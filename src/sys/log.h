#pragma once

#include <fmt/format.h>
#include <stormo/log.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sys/log_line.h"
#include "sys/unique_fd.h"

/// Writes the log: one line, one write(2). See log_line.h for the form of a line.
/// Debug: a peer's misbehaviour. Info: what an operator did. Warning: recovered without a person.
/// Error: a person must act. Never a payload; nothing per message.
///
///   log::warning("a child ended unexpectedly worker=\"{}\" restart_in_ms={}", name, wait);
///
/// The format string shows what is a field: ` key={}` or ` key="{}"` (always in quotes). All other
/// text is the message.
namespace stormo::log {

/// The names that options and settings use; nothing if `word` is none of them.
std::optional<Level> levelNamed(std::string_view word);
std::optional<Format> formatNamed(std::string_view word);
inline constexpr std::array<const char*, 4> kLevelNames = {"error", "warning", "info", "debug"};
inline constexpr std::array<const char*, 2> kFormatNames = {"text", "json"};

/// Which lines are written: those of this level and above. Default: Info.
void setLevel(Level level);
/// Default: Text.
void setFormat(Format format);
/// Which process writes: "master", "channel", "worker chat/2". Default: "main".
void setRole(std::string_view role);

/// Appends to a file from now on instead of stderr. On failure false, with errno, and the log goes
/// where it went.
[[nodiscard]] bool openFile(const std::string& path);
/// Lets stdout and stderr be the log file too, now and after each reopening, so that what the
/// program prints and its last words at a crash are there. Only after openFile().
void captureStandardOutput();
/// The absolute path that openFile() was given; empty while the log goes to stderr.
[[nodiscard]] const std::string& filePath();
/// Opens filePath() again: a new file, if the old one was renamed. Invalid, with errno, if it
/// cannot be opened.
[[nodiscard]] UniqueFd openAgain();
/// Writes to this file from now on.
void useFile(UniqueFd file);

[[nodiscard]] bool enabled(Level level);
/// `fields` as fmt has them, for the places in `format`.
void write(Level level, fmt::string_view format, fmt::format_args fields);

template <typename First, typename... Rest>
void debug(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
  write(Level::Debug, format, fmt::make_format_args(first, rest...));
}
template <typename First, typename... Rest>
void info(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
  write(Level::Info, format, fmt::make_format_args(first, rest...));
}
template <typename First, typename... Rest>
void warning(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
  write(Level::Warning, format, fmt::make_format_args(first, rest...));
}
template <typename First, typename... Rest>
void error(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
  write(Level::Error, format, fmt::make_format_args(first, rest...));
}

}  // namespace stormo::log
