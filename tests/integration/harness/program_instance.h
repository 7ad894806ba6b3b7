#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"

namespace stormo::integration {

using Json = nlohmann::json;
using test::Deadline;
using test::Outcome;
using test::SpawnedProgram;
using test::Words;

/// One instance of a program in a runtime directory of its own, driven by command lines.
class ProgramInstance {
 public:
  /// `program` is a file in bin/; `first` are words before every command ("channel").
  explicit ProgramInstance(const Deadline& deadline, const std::string& program = "stormo",
                           Words first = {});
  /// Stops the instance. The test fails if a process must be killed or remains, or if a sanitizer
  /// wrote a report.
  ~ProgramInstance();
  ProgramInstance(const ProgramInstance&) = delete;
  ProgramInstance& operator=(const ProgramInstance&) = delete;

  /// Starts it in the foreground. Returns when it reports that it has started, else throws.
  void start(const Words& options = {});
  /// The same, but does not wait.
  void beginStart(const Words& options = {});
  /// Starts a command line, which may be `start` in the foreground, and does not wait.
  std::unique_ptr<SpawnedProgram> begin(const Words& words);
  /// Runs a command line to its end.
  Outcome run(const Words& words);
  /// Runs a command line, and returns its stdout. Throws if it fails.
  std::string succeed(const Words& words);

  /// The foreground program. Only after start().
  SpawnedProgram& foreground() { return *foreground_; }

  /// `status --json`.
  Json status();
  /// The rows of `connections --json`.
  Json connections();
  /// Of the processes of that kind, in the order of their slots.
  std::vector<pid_t> pids(const std::string& kind);
  /// The sum of a counter over all workers: "connections", "groups".
  std::uint64_t sum(const std::string& counter);
  /// Waits until `condition` is true for status(); `what` describes it for an error text.
  void waitForStatus(const std::string& what, const std::function<bool(const Json&)>& condition);

  /// Kills a process with SIGKILL, and waits until the one that takes its place is ready.
  void killAndAwaitSuccessor(pid_t pid);

  /// The port of the first worker, as status() has it.
  std::uint16_t port();

  /// A directory for files of the test and unix sockets, deleted with this object.
  [[nodiscard]] std::string folder() const { return folder_.path(); }

 private:
  [[nodiscard]] Words commandLine(const Words& words) const;
  void expectNobodyLeft();

  const Deadline& deadline_;
  test::TempDirectory folder_;
  const std::string program_;
  const Words first_;
  std::unique_ptr<SpawnedProgram> foreground_;
  std::set<pid_t> seen_;  // all that status() has ever shown
};

/// True while a process of that id runs (a zombie does not).
bool isRunning(pid_t pid);

}  // namespace stormo::integration
