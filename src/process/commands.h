#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "process/instance.h"
#include "process/program.h"
#include "process/start_record.h"
#include "process/start_report.h"
#include "sys/log.h"

namespace stormo::process {

/// What the command line can ask for. Each returns the exit status, 0 only if it happened, and
/// throws std::runtime_error with the sentence to print otherwise.
class Commands {
 public:
  struct Options {
    bool daemon = false;
    bool graceful = false;
    std::chrono::milliseconds timeout{0};  ///< Zero: what is usual.
    std::string logFile;
    StartRecord record;                  ///< Of `start` and `restart`.
    std::optional<log::Level> logLevel;  ///< None: as the Program has it.
    std::optional<log::Format> logFormat;
  };
  using Build = std::function<Program()>;

  /// `commandLine`: the program's name with the options that name this instance, for hints.
  Commands(std::string programName, std::string commandLine, Instance instance);

  int start(const Options& options, const Build& build) const;
  /// Builds and checks the new program first: if that throws, what runs is left alone.
  int restart(const Options& options, const Build& build) const;
  int stop(const Options& options) const;
  int reload(const Options& options) const;
  int reopenLog() const;
  int status(bool json) const;
  /// Once a second, until the process is interrupted or the master is gone.
  int liveStatus(bool json) const;
  int connections(bool json) const;

 private:
  bool stopRunning(const Options& options) const;
  int runMaster(const Options& options, const Build& build, StartReport& report) const;

  const std::string name_;
  const std::string commandLine_;
  const Instance instance_;
};

}  // namespace stormo::process
