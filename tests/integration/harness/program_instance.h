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

/// One instance of a program in a runtime directory of its own: started, asked and stopped by
/// command lines, as a person does it.
class ProgramInstance {
 public:
  /// `program` is a file in bin/; `first` are words that stand before every command ("channel").
  explicit ProgramInstance(const Deadline& deadline, const std::string& program = "stormo",
                           Words first = {});
  /// Ends whatever still runs. It is a failure of the test if a process of it has to be killed or
  /// is left, or if a sanitizer wrote a report.
  ~ProgramInstance();
  ProgramInstance(const ProgramInstance&) = delete;
  ProgramInstance& operator=(const ProgramInstance&) = delete;

  /// Starts it in the foreground; returns when it says that it has started, throws if it does not.
  void start(const Words& options = {});
  /// Starts a command line, and does not wait. `start` in the foreground is one, too.
  std::unique_ptr<SpawnedProgram> begin(const Words& words);
  /// Runs a command line to its end.
  Outcome run(const Words& words);
  /// Runs it, and throws if it does not succeed; gives its stdout.
  std::string succeed(const Words& words);

  /// The foreground program. Only after start().
  SpawnedProgram& foreground() { return *foreground_; }

  /// `status --json`.
  Json status();
  /// The rows of `connections --json`.
  Json connections();
  /// Of the processes of that kind, in the order of their slots.
  std::vector<pid_t> pids(const std::string& kind);
  /// A number of all processes' counters together: "connections", "groups".
  std::uint64_t sum(const std::string& counter);
  /// Waits until status() is as wished; `what` says how.
  void waitForStatus(const std::string& what, const std::function<bool(const Json&)>& wished);

  /// The port of the first worker, as status() has it.
  std::uint16_t port();

  /// For files of the test and for unix sockets; gone with this object.
  [[nodiscard]] std::string folder() const { return folder_.path(); }

 private:
  [[nodiscard]] Words commandLine(const Words& words) const;
  void expectNobodyLeft();

  const Deadline& deadline_;
  test::TempDirectory folder_;
  const std::string program_;
  const Words first_;
  std::unique_ptr<SpawnedProgram> foreground_;
  std::set<pid_t> seen_;  // all that ever stood in status()
};

/// True while a process of that id runs (a zombie does not).
bool isRunning(pid_t pid);

}  // namespace stormo::integration
