#include "sys/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

namespace stormo::log {
namespace {

/// Set by the main thread at start. Any thread may write lines.
struct State {
  Level level = Level::Info;
  Format format = Format::Text;
  std::string role = "main";
  std::string path;  // absolute, because a daemon changes its directory
  UniqueFd file;     // keeps its number over a reopening; invalid: stderr
  bool capturesStandardOutput = false;
};

State& state() {
  static State state;
  return state;
}

/// RFC 3339, with milliseconds and the offset of the local time.
std::string timeText() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::localtime_r(&now.tv_sec, &parts);
  char seconds[32];
  char offset[8];  // "+0100"
  std::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
  std::strftime(offset, sizeof offset, "%z", &parts);
  const std::string_view zone = offset;
  return fmt::format("{}.{:03}{}:{}", seconds, now.tv_nsec / 1'000'000, zone.substr(0, 3),
                     zone.substr(3));
}

/// Drops a line that cannot be written, because there is no other place to report it.
void writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write(Line line) {
  const State& now = state();
  const std::string time = timeText();
  line.time = time;
  line.pid = ::getpid();
  line.role = now.role;
  writeAll(now.file.valid() ? now.file.get() : STDERR_FILENO, formatLine(line, now.format));
}

void writeMessage(Level level, std::string_view message) {
  if (!enabled(level)) return;
  Line line;
  line.level = level;
  line.message = message;
  write(std::move(line));
}

UniqueFd openForAppending(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666));
}

void redirectStandardOutput() {
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(state().file.get(), standard);
  }
}

template <typename Value, std::size_t N>
std::optional<Value> named(std::string_view word, const std::array<const char*, N>& names,
                           const std::array<Value, N>& values) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) return std::nullopt;
  return values[static_cast<std::size_t>(found - names.begin())];
}

}  // namespace

std::optional<Level> levelNamed(std::string_view word) {
  return named<Level>(word, kLevelNames, {Level::Error, Level::Warning, Level::Info, Level::Debug});
}

std::optional<Format> formatNamed(std::string_view word) {
  return named<Format>(word, kFormatNames, {Format::Text, Format::Json});
}

void setLevel(Level level) { state().level = level; }

void setFormat(Format format) { state().format = format; }

void setRole(std::string_view role) { state().role = role; }

bool openFile(const std::string& path) {
  std::string absolute = std::filesystem::absolute(path);
  UniqueFd file = openForAppending(absolute);
  if (!file.valid()) return false;
  state().path = std::move(absolute);
  useFile(std::move(file));
  return true;
}

void captureStandardOutput() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a killed process flushes nothing
  state().capturesStandardOutput = true;
  redirectStandardOutput();
}

const std::string& filePath() { return state().path; }

UniqueFd openAgain() { return openForAppending(state().path); }

void useFile(UniqueFd file) {
  State& now = state();
  if (now.file.valid()) {
    // Atomic, because another thread may be writing.
    ::dup3(file.get(), now.file.get(), O_CLOEXEC);
  } else {
    now.file = std::move(file);
  }
  if (now.capturesStandardOutput) redirectStandardOutput();
}

bool enabled(Level level) { return level >= state().level; }

void write(Level level, fmt::string_view format, fmt::format_args fields) {
  if (!enabled(level)) return;
  Line line;
  line.level = level;
  parseFormat({format.data(), format.size()}, fields, line);
  write(std::move(line));
}

void debug(std::string_view message) { writeMessage(Level::Debug, message); }
void info(std::string_view message) { writeMessage(Level::Info, message); }
void warning(std::string_view message) { writeMessage(Level::Warning, message); }
void error(std::string_view message) { writeMessage(Level::Error, message); }

}  // namespace stormo::log
