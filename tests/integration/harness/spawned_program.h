#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "integration/harness/deadline.h"
#include "sys/unique_fd.h"

namespace stormo::integration {

/// How a program ended, and all that it wrote.
struct Outcome {
  int status = 0;  ///< As a shell has it: 128 and the signal, if one ended it.
  std::string output;
  std::string errors;
};

/// One process, started as a shell would start it, with its output at hand while it runs. It ends
/// with the thread that made this object.
class SpawnedProgram {
 public:
  /// `words`: the program's path and its arguments. Status 127 means that there is no such program.
  SpawnedProgram(const Deadline& deadline, const std::vector<std::string>& words);
  /// Kills it if it still runs.
  ~SpawnedProgram();
  SpawnedProgram(const SpawnedProgram&) = delete;
  SpawnedProgram& operator=(const SpawnedProgram&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Nothing while it runs.
  [[nodiscard]] std::optional<int> statusIfEnded();

  /// Throws if the program ends without having written that on stdout.
  void waitForOutput(std::string_view text);
  void signal(int number) const;
  /// Waits for the end of the process, and of all others that could still write on its stdout and
  /// stderr: of its children, therefore.
  Outcome waitForEnd();

 private:
  void readUntilClosed();
  [[nodiscard]] std::string command() const;

  const Deadline& deadline_;
  const std::vector<std::string> words_;
  pid_t pid_ = 0;
  std::optional<int> status_;

  UniqueFd outputFd_;
  UniqueFd errorsFd_;
  UniqueFd wakeReading_;  // closed at the other end when reading shall end before the pipes do
  UniqueFd wakeWriting_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::string output_;
  std::string errors_;
  bool closed_ = false;

  std::thread reader_;
};

/// Runs a command to its end.
Outcome runCommand(const Deadline& deadline, const std::vector<std::string>& words);

}  // namespace stormo::integration
