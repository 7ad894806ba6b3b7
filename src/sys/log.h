#pragma once

#include <fmt/format.h>
#include <stormo/log.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sys/log_line.h"
#include "sys/unique_fd.h"

/// Writes the log: one line, one write(2). See log_line.h for the format of a line.
/// Debug: a peer violates a protocol. Info: an operator did something. Warning: the program
/// recovered without a person. Error: a person must act. Never logs a payload, and nothing per
/// message.
///
///   log::warning("a child ended unexpectedly worker=\"{}\" restart_in_ms={}", name, wait);
///
/// The format string defines the fields: ` key={}` or ` key="{}"` (always quoted). All other text
/// is the message.
namespace stormo::log {

/// The level or format of this name in options and settings; nullopt if there is none.
std::optional<Level> levelNamed(std::string_view word);
std::optional<Format> formatNamed(std::string_view word);
inline constexpr std::array<const char*, 4> kLevelNames = {"error", "warning", "info", "debug"};
inline constexpr std::array<const char*, 2> kFormatNames = {"text", "json"};

/// Lines of this level and above are written. Default: Info.
void setLevel(Level level);
/// Default: Text.
void setFormat(Format format);
/// Name of this process in each line: "master", "channel", "worker chat/2". Default: "main".
void setRole(std::string_view role);

/// Appends to this file instead of stderr. On failure returns false with errno set, and the log
/// continues where it was.
[[nodiscard]] bool openFile(const std::string& path);
/// Redirects stdout and stderr to the log file, now and after each reopening, so that the file has
/// what the program prints, also during a crash. Only after openFile().
void captureStandardOutput();
/// Absolute path of the file of openFile(); empty while the log is written to stderr.
[[nodiscard]] const std::string& filePath();
/// Opens filePath() again; creates a new file if the old one was renamed. On failure invalid, with
/// errno set.
[[nodiscard]] UniqueFd openAgain();
/// Continues the log in this file.
void useFile(UniqueFd file);

[[nodiscard]] bool enabled(Level level);
/// `fields`: the arguments of `format`, as in fmt.
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
