#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/deadline.h"
#include "sys/unique_fd.h"

namespace stormo::test {

/// A command line: a program, and its arguments.
using Words = std::vector<std::string>;

/// How a program ended, and what it wrote.
struct Outcome {
  int status = 0;  ///< As a shell has it: 128 and the signal, if one ended it.
  std::string output;
  std::string errors;
};

/// One process, started as a shell would start it: found in PATH, and first of a process group of
/// its own. Its output is read while it runs, so that it never waits for the test. It ends with the
/// thread that made this object. What waits throws std::runtime_error at the deadline.
class SpawnedProgram {
 public:
  /// Status 127 means that there is no such program. `deadline` must outlive this object.
  SpawnedProgram(const Deadline& deadline, Words words);
  /// Kills it if it still runs.
  ~SpawnedProgram();
  SpawnedProgram(const SpawnedProgram&) = delete;
  SpawnedProgram& operator=(const SpawnedProgram&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Nothing while it runs.
  [[nodiscard]] std::optional<int> statusIfEnded();

  void signal(int number) const;
  /// To its whole process group, as a terminal sends Ctrl-C.
  void signalGroup(int number) const;

  /// Throws if the program ends without having written that on stdout.
  void waitForOutput(std::string_view text);
  /// Waits for the end of this process alone, and has all that it wrote; its children may live on.
  Outcome waitForOwnEnd();
  /// Waits for the end of the process, and of all others that could still write on its stdout and
  /// stderr: of its children, therefore.
  Outcome waitForEnd();

 private:
  /// Our end of a pipe, and what has come out of it.
  struct Stream {
    UniqueFd fd;
    std::string text;
  };

  void readUntilClosed();
  // These two only with the mutex.
  /// Reads once; gives what read(2) does.
  static ssize_t readMore(Stream& stream);
  /// The command line and what came of it, for who looks for what went wrong.
  [[nodiscard]] std::string story() const;

  const Deadline& deadline_;
  const Words words_;
  pid_t pid_ = 0;
  std::optional<int> status_;

  UniqueFd wakeReading_;  // closed at the other end when reading shall end before the pipes do
  UniqueFd wakeWriting_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Stream output_;
  Stream errors_;
  bool closed_ = false;

  std::thread reader_;
};

}  // namespace stormo::test
