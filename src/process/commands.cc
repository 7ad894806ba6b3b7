#include "process/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "process/control_client.h"
#include "process/daemonize.h"
#include "process/master.h"
#include "process/screens.h"
#include "sys/log.h"
#include "sys/open_files.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

/// The master answers these without asking a child for longer than two seconds.
constexpr milliseconds kAnswerWithin{10'000};

class ForegroundReport final : public StartReport {
 public:
  void started(const std::string& screen) override {
    std::fputs(screen.c_str(), stdout);
    std::fflush(stdout);
  }
  void abandon() override {}
};

ControlClient connectTo(const Instance& instance) {
  if (auto client = ControlClient::connect(instance)) return std::move(*client);
  throw std::runtime_error("not running");
}

Json order(const char* command, const Commands::Options& options) {
  Json request = {{"command", command}, {"graceful", options.graceful}};
  if (options.timeout > milliseconds::zero()) request["timeout_ms"] = options.timeout.count();
  return request;
}

Json ask(const Instance& instance, const char* command) {
  return connectTo(instance).ask({{"command", command}}, kAnswerWithin);
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

std::string statusText(const Json& report, bool json) {
  return json ? report.dump() + '\n' : statusScreen(report);
}

}  // namespace

Commands::Commands(std::string programName, Instance instance)
    : name_(std::move(programName)), instance_(std::move(instance)) {}

int Commands::start(const Options& options, const std::function<Program()>& build) const {
  if (options.daemon) {
    return runAsDaemon(name_,
                       [&](StartReport& report) { return runMaster(options, build, report); });
  }
  ForegroundReport report;
  return runMaster(options, build, report);
}

int Commands::runMaster(const Options& options, const std::function<Program()>& build,
                        StartReport& report) const {
  instance_.createDirectory();
  auto lock = instance_.lock();
  if (!lock) {
    throw std::runtime_error(fmt::format("already running (pid {}), see '{} status'",
                                         instance_.runningPid().value_or(0), name_));
  }
  const std::string logFile = !options.logFile.empty() ? options.logFile
                              : options.daemon         ? instance_.logPath()
                                                       : "";
  if (!logFile.empty() && !log::openFile(logFile)) {
    throw std::runtime_error(fmt::format("cannot write the log file {}", logFile));
  }
  raiseOpenFilesLimit();
  UniqueFd childrenLock = instance_.lockForChildren();
  const bool onTerminal = !options.daemon && ::isatty(STDIN_FILENO) == 1;
  const bool colors = !options.daemon && ::isatty(STDOUT_FILENO) == 1;
  Master master({.programName = name_,
                 .instance = instance_,
                 .lock = std::move(*lock),
                 .childrenLock = std::move(childrenLock),
                 .program = build(),
                 .report = report,
                 .hangupReloads = !onTerminal,
                 .screen = [&](const Program& program) {
                   return startScreen(name_, program, options.daemon, colors);
                 }});
  return master.run();
}

bool Commands::stopRunning(const Options& options) const {
  auto client = ControlClient::connect(instance_);
  if (!client) return false;
  client->ask(order("stop", options), kAnswerWithin);
  client->waitForEnd();
  return true;
}

int Commands::stop(const Options& options) const {
  if (!stopRunning(options)) throw std::runtime_error("not running");
  return 0;
}

int Commands::restart(const Options& options, const std::function<Program()>& build) const {
  stopRunning(options);
  return start(options, build);
}

int Commands::reload(const Options& options) const {
  connectTo(instance_).ask(order("reload", options), milliseconds::zero());
  return 0;
}

int Commands::status(bool json) const {
  print(statusText(ask(instance_, "status"), json));
  return 0;
}

int Commands::liveStatus(bool json) const {
  const bool redraw = !json && ::isatty(STDOUT_FILENO) == 1;
  while (true) {
    const std::string text = statusText(ask(instance_, "status"), json);
    print((redraw ? "\033[H\033[J" : "") + text);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int Commands::connections(bool json) const {
  const Json answer = ask(instance_, "connections");
  print(json ? answer.dump() + '\n' : connectionsScreen(answer));
  return 0;
}

}  // namespace stormo::process
