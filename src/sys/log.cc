#include "sys/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace stormo::log {
namespace {

spdlog::level::level_enum toSpdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warning:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool holdsControls(std::string_view line) {
  return std::any_of(line.begin(), line.end(), isControl);
}

/// A line stays one line, and harmless to a terminal, whatever was put into it.
std::string escapeControls(std::string_view line) {
  std::string out;
  for (const char c : line) {
    if (isControl(c)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

/// Loggers are swapped whole, so that a forked child may take the one it inherited and rename it.
struct State {
  spdlog::sink_ptr sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  std::string processName = "main";
  spdlog::level::level_enum level = spdlog::level::info;
  std::shared_ptr<spdlog::logger> logger;

  State() { rebuild(); }
  void rebuild() {
    logger = std::make_shared<spdlog::logger>(processName, sink);
    logger->set_level(level);
    logger->flush_on(spdlog::level::trace);
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l pid=%P process=%n %v");
  }
};

State& state() {
  static State state;
  return state;
}

}  // namespace

void setLevel(Level level) {
  state().level = toSpdlog(level);
  state().rebuild();
}

bool openFile(const std::string& path) {
  try {
    state().sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
  } catch (const spdlog::spdlog_ex&) {
    return false;
  }
  state().rebuild();
  return true;
}

void setProcessName(std::string_view name) {
  state().processName = std::string(name);
  state().rebuild();
}

bool enabled(Level level) { return state().logger->should_log(toSpdlog(level)); }

void write(Level level, std::string_view line) {
  const std::string escaped = holdsControls(line) ? escapeControls(line) : std::string();
  if (!escaped.empty()) line = escaped;
  state().logger->log(toSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace stormo::log
