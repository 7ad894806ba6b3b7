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

/// A command line: a program and its arguments.
using Words = std::vector<std::string>;

/// How a program ended, and its output.
struct Outcome {
  int status = 0;  ///< As in a shell: 128 plus the signal if one ended it.
  std::string output;
  std::string errors;
};

/// A process started as by a shell: found in PATH, first of its own process group. Its output is
/// read continuously, so it never blocks on the test. It ends with the thread that created this
/// object. Blocking calls throw std::runtime_error at the deadline.
class SpawnedProgram {
 public:
  /// Status 127: no such program. `deadline` must outlive this object.
  SpawnedProgram(const Deadline& deadline, Words words);
  /// Kills the process if it still runs.
  ~SpawnedProgram();
  SpawnedProgram(const SpawnedProgram&) = delete;
  SpawnedProgram& operator=(const SpawnedProgram&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Nullopt while it runs.
  [[nodiscard]] std::optional<int> statusIfEnded();

  void signal(int number) const;
  /// Signals its whole process group, as a terminal does for Ctrl-C.
  void signalGroup(int number) const;

  /// Throws if the program ends without having written `text` on stdout.
  void waitForOutput(std::string_view text);
  /// Waits for the end of this process only, and returns all its output. Its children may still
  /// run.
  Outcome waitForOwnEnd();
  /// Waits for the end of the process and of all children that have its stdout or stderr.
  Outcome waitForEnd();

 private:
  /// Our end of a pipe, and the bytes read from it.
  struct Stream {
    UniqueFd fd;
    std::string text;
  };

  void readUntilClosed();
  // Both require the mutex. Reads once, and returns the result of read(2).
  static ssize_t readMore(Stream& stream);
  /// The command line and its output, for error messages.
  [[nodiscard]] std::string description() const;

  const Deadline& deadline_;
  const Words words_;
  pid_t pid_ = 0;
  std::optional<int> status_;

  UniqueFd wakeReading_;  // closed at the other end to stop reading before the pipes end
  UniqueFd wakeWriting_;

  mutable std::mutex mutex_;  // protects the members below
  std::condition_variable changed_;
  Stream output_;
  Stream errors_;
  bool closed_ = false;

  std::thread reader_;
};

}  // namespace stormo::test
