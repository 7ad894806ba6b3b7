#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "process/image_process.h"
#include "process/instance.h"
#include "process/own_program.h"
#include "process/program.h"
#include "process/start_record.h"
#include "process/start_report.h"
#include "sys/log.h"

namespace stormo::process {

/// The commands of the command line. Each returns the exit status, 0 only if it succeeded, or
/// throws std::runtime_error with the text to print.
class Commands {
 public:
  struct Options {
    bool daemon = false;
    bool graceful = false;
    std::chrono::milliseconds timeout{0};  ///< Zero: the default.
    std::chrono::milliseconds over{0};     ///< Zero: clients are not closed at a pace.
    std::string logFile;
    std::string pidFile;
    StartRecord record;                  ///< For `start` and `restart`.
    std::optional<log::Level> logLevel;  ///< Empty: Program::logLevel.
    std::optional<log::Format> logFormat;
    // For a reload with a new program:
    OwnProgram program;
    const std::map<std::string, std::string>* files = nullptr;  ///< That `build` has read.
  };
  using Build = std::function<Program()>;

  /// `commandLine`: the program's name with the options that name this instance, for hints.
  Commands(std::string programName, std::string commandLine, Instance instance);

  int start(const Options& options, const Build& build) const;
  /// Builds and checks the new program first. If that throws, the running instance continues.
  int restart(const Options& options, const Build& build) const;
  /// In a process that runs a new program for a reload: serves its master.
  [[noreturn]] void serve(const ImageLink& master, const Options& options,
                          const Build& build) const;
  int stop(const Options& options) const;
  int reload(const Options& options) const;
  int reloadTls() const;
  int reopenLog() const;
  int status(bool json) const;
  /// Prints the status every second, until this process is interrupted or the master has ended.
  int liveStatus(bool json) const;
  int connections(bool json) const;
  /// Status 1 without a cluster.
  int nodes(bool json) const;

 private:
  void openLog(const Options& options) const;
  bool stopRunning(const Options& options) const;
  int runMaster(const Options& options, const Build& build, StartReport& report) const;

  const std::string name_;
  const std::string commandLine_;
  const Instance instance_;
};

}  // namespace stormo::process
