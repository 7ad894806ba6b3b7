#include "process/commands.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "process/control_client.h"
#include "process/daemonize.h"
#include "process/master.h"
#include "process/screens.h"
#include "process/start_check.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/open_files.h"
#include "sys/standard_streams.h"

namespace stormo::process {
namespace {

using std::chrono::milliseconds;

/// The master answers these commands within 2 s; it waits no longer for its children.
constexpr milliseconds kAnswerWithin{10'000};

class ForegroundReport final : public StartReport {
 public:
  void started(const std::string& screen) override {
    std::fputs(screen.c_str(), stdout);
    std::fflush(stdout);
  }
  void abandon() override {}
};

[[noreturn]] void throwNotRunning(const Instance& instance) {
  throw std::runtime_error(fmt::format("not running ({})", instance.text()));
}

ControlClient connectTo(const Instance& instance) {
  if (auto client = ControlClient::connect(instance)) return std::move(*client);
  throwNotRunning(instance);
}

void checkLogFile(const std::string& path) {
  if (path.empty()) return;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (fd.valid()) return;
  throw std::runtime_error(fmt::format("cannot open the log file {}: {}", path, errorText(errno)));
}

Json order(const char* command, const Commands::Options& options) {
  Json request = {{"command", command}, {"graceful", options.graceful}};
  if (options.timeout > milliseconds::zero()) request["timeout_ms"] = options.timeout.count();
  if (options.over > milliseconds::zero()) request["over_ms"] = options.over.count();
  return request;
}

Json ask(const Instance& instance, const char* command) {
  return connectTo(instance).ask({{"command", command}}, kAnswerWithin);
}

std::string statusText(const Json& report, bool json) {
  return json ? report.dump() + '\n' : statusScreen(report);
}

}  // namespace

Commands::Commands(std::string programName, std::string commandLine, Instance instance)
    : name_(std::move(programName)),
      commandLine_(std::move(commandLine)),
      instance_(std::move(instance)) {}

int Commands::start(const Options& options, const Build& build) const {
  if (options.daemon) {
    return runAsDaemon(name_,
                       [&](StartReport& report) { return runMaster(options, build, report); });
  }
  ForegroundReport report;
  return runMaster(options, build, report);
}

void Commands::openLog(const Options& options) const {
  const std::string logFile = !options.logFile.empty() ? options.logFile
                              : options.daemon         ? instance_.logPath()
                                                       : "";
  if (!logFile.empty() && !log::openFile(logFile)) {
    throw std::runtime_error(
        fmt::format("cannot open the log file {}: {}", logFile, errorText(errno)));
  }
  if (options.daemon) log::captureStandardOutput();
}

void Commands::serve(const ImageLink& master, const Options& options, const Build& build) const {
  openLog(options);
  const Program program = build();
  log::setLevel(options.logLevel.value_or(program.logLevel));
  log::setFormat(options.logFormat.value_or(program.logFormat));
  if (options.daemon && ::chdir("/") < 0) log::warning("cannot leave the working directory");
  master.serve(program);
}

int Commands::runMaster(const Options& options, const Build& build, StartReport& report) const {
  instance_.createDirectory();
  auto lock = instance_.lock();
  if (!lock) {
    throw std::runtime_error(fmt::format("already running (pid {}, {}), see '{} status'",
                                         instance_.runningPid().value_or(0), instance_.text(),
                                         commandLine_));
  }
  openLog(options);
  raiseOpenFilesLimit();
  const PidFile pidFile(options.pidFile);
  UniqueFd childrenLock = instance_.lockForChildren();
  Program program = build();
  log::setLevel(options.logLevel.value_or(program.logLevel));
  log::setFormat(options.logFormat.value_or(program.logFormat));
  const bool onTerminal = !options.daemon && ::isatty(STDIN_FILENO) == 1;
  const bool colors = !options.daemon && ::isatty(STDOUT_FILENO) == 1;
  if (options.daemon) leaveStarter();
  Master master({.programName = name_,
                 .instance = instance_,
                 .record = options.record,
                 .lock = std::move(*lock),
                 .childrenLock = std::move(childrenLock),
                 .program = std::move(program),
                 .report = report,
                 .ownProgram = options.program,
                 .files = options.files,
                 .serviceManager = ServiceManager::fromEnvironment(),
                 .passedSockets = PassedSockets::fromEnvironment(),
                 .stopsOnHangup = onTerminal,
                 .screen = [&](const Program& running) {
                   return startScreen(commandLine_, running, options.daemon, colors);
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
  if (!stopRunning(options)) throwNotRunning(instance_);
  return 0;
}

int Commands::restart(const Options& options, const Build& build) const {
  instance_.createDirectory();
  Program program = build();
  checkStart(program, instance_.directory());
  checkLogFile(options.logFile);
  stopRunning(options);
  return start(options, [&program] { return std::move(program); });
}

int Commands::reload(const Options& options) const {
  connectTo(instance_).ask(order("reload", options), milliseconds::zero());
  return 0;
}

int Commands::reloadTls() const {
  ask(instance_, "reload-tls");
  return 0;
}

int Commands::reopenLog() const {
  ask(instance_, "reopen-log");
  return 0;
}

int Commands::status(bool json) const {
  printOut(statusText(ask(instance_, "status"), json));
  return 0;
}

int Commands::liveStatus(bool json) const {
  const bool redraw = !json && ::isatty(STDOUT_FILENO) == 1;
  while (true) {
    const std::string text = statusText(ask(instance_, "status"), json);
    printOut((redraw ? "\033[H\033[J" : "") + text);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int Commands::connections(bool json) const {
  const Json answer = ask(instance_, "connections");
  printOut(json ? answer.dump() + '\n' : connectionsScreen(answer));
  return 0;
}

int Commands::nodes(bool json) const {
  Json answer = ask(instance_, "nodes");
  if (answer.at("nodes").empty() && answer.at("busy").empty() && !answer.contains("reason")) {
    answer["reason"] = fmt::format("the Channel does not run (see '{} status')", commandLine_);
  }
  const bool hasFailed = answer.contains("reason");
  if (hasFailed && !json) throw std::runtime_error(answer.at("reason").get<std::string>());
  printOut(json ? answer.dump() + '\n' : nodesScreen(answer));
  return hasFailed ? 1 : 0;
}

}  // namespace stormo::process
