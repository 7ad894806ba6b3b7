#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"
#include "support/watched_process.h"
#include "sys/unique_fd.h"

namespace stormo::process {

using test::Deadline;
using test::eventually;
using test::Outcome;
using test::SpawnedProgram;
using test::WatchedProcess;
using test::Words;

/// The probe program in a runtime directory of its own. Whatever was started in it is ended with
/// it.
class ProbeProgram {
 public:
  explicit ProbeProgram(const Deadline& deadline) : deadline_(deadline) {}
  ~ProbeProgram();

  /// Runs a command to its own end: what it leaves behind is there when this returns.
  [[nodiscard]] Outcome run(Words arguments) const;
  /// Starts a command, without waiting for anything.
  [[nodiscard]] std::unique_ptr<SpawnedProgram> spawn(Words arguments) const;
  /// Starts in the foreground, and waits until all is up. Throws otherwise.
  [[nodiscard]] std::unique_ptr<SpawnedProgram> start(Words options = {"--listen",
                                                                       "tcp://127.0.0.1:0"}) const;

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

  const Deadline& deadline_;
  test::TempDirectory directory_;
};

/// One client of a probe's worker.
class ProbeClient {
 public:
  static ProbeClient connect(std::uint16_t port);
  static ProbeClient connectUnix(const std::string& path);

  [[nodiscard]] bool connected() const { return fd_.valid(); }
  void say(char letter) const;
  /// The next line, "pid slot user"; empty if the connection ends, or nothing comes for as long as
  /// a test may last.
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
