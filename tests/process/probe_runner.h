#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/temp_directory.h"
#include "sys/unique_fd.h"

namespace stormo::process {

using Words = std::vector<std::string>;

/// How long a test waits for what must come. Nothing depends on it but how soon a failure is told.
inline constexpr auto kPatience = std::chrono::seconds(60);

/// True as soon as `condition` is; false if it is not within kPatience.
bool eventually(const std::function<bool()>& condition);

/// A running process with its stdout and stderr, killed if it is still there at the end.
class RunningProgram {
 public:
  explicit RunningProgram(const Words& command);
  RunningProgram(RunningProgram&&) = default;
  ~RunningProgram();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// To its whole process group, as a terminal sends Ctrl-C.
  void signalGroup(int number) const;

  /// Reads stdout until `text` has come; false if stdout ends or kPatience passes before.
  bool waitForOutput(const std::string& text);
  /// Waits for its end. The exit status, or 128 + the signal; nothing if it does not end.
  std::optional<int> wait();

  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] const std::string& errors() const { return errors_; }

 private:
  void readSome(int timeoutMs);

  pid_t pid_;
  UniqueFd stdout_;
  UniqueFd stderr_;
  std::string output_;
  std::string errors_;
  std::optional<int> status_;
};

/// What a finished command left behind.
struct Outcome {
  int status;
  std::string output;
  std::string errors;
};

/// The probe program in a runtime directory of its own. Whatever was started in it is ended with
/// it.
class ProbeProgram {
 public:
  ProbeProgram() = default;
  ~ProbeProgram();

  /// Runs a command to its end.
  [[nodiscard]] Outcome run(Words arguments) const;
  /// Starts a command, without waiting for anything.
  [[nodiscard]] RunningProgram spawn(Words arguments) const;
  /// Starts in the foreground, and waits until all is up. Fails the test otherwise.
  [[nodiscard]] RunningProgram start(Words options = {"--listen", "tcp://127.0.0.1:0"}) const;

  /// `status --json`.
  [[nodiscard]] nlohmann::json status() const;
  /// The rows of status() that are workers.
  [[nodiscard]] std::vector<nlohmann::json> workers() const;
  [[nodiscard]] nlohmann::json worker(int slot) const {
    return workers().at(static_cast<std::size_t>(slot));
  }
  /// Waits until a worker's row pleases.
  [[nodiscard]] bool workerBecomes(int slot,
                                   const std::function<bool(const nlohmann::json&)>& pleases) const;
  /// Of all processes, the master first.
  [[nodiscard]] std::vector<pid_t> pids() const;
  /// The first port that it listens on.
  [[nodiscard]] std::uint16_t port() const;

  [[nodiscard]] std::string path(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] Words commandLine(Words arguments) const;

  test::TempDirectory directory_;
};

/// A process that is no child of ours, watched for its end.
class WatchedProcess {
 public:
  explicit WatchedProcess(pid_t pid);
  /// False if it does not end.
  [[nodiscard]] bool ends() const;

 private:
  UniqueFd pidfd_;
};

/// One client of a probe's worker.
class ProbeClient {
 public:
  static ProbeClient connect(std::uint16_t port);
  static ProbeClient connectUnix(const std::string& path);

  [[nodiscard]] bool connected() const { return fd_.valid(); }
  void say(char letter) const;
  /// The next line, "pid slot user"; empty if the connection ends or nothing comes within
  /// kPatience.
  [[nodiscard]] std::string hear() const;
  /// Both; the pid and the slot that answered.
  struct Answer {
    pid_t pid = 0;
    int slot = -1;
    long user = -1;
  };
  [[nodiscard]] Answer ask(char letter = 'x') const;

 private:
  explicit ProbeClient(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

void touch(const std::string& path);

}  // namespace stormo::process
