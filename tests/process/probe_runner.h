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

/// The probe program in a runtime directory of its own. The destructor ends all processes that were
/// started in it.
class ProbeProgram {
 public:
  explicit ProbeProgram(const Deadline& deadline) : deadline_(deadline) {}
  ~ProbeProgram();

  /// Runs a command, and returns when it has ended. A daemon that it started runs then.
  [[nodiscard]] Outcome run(Words arguments) const;
  /// Starts a command, without waiting for anything.
  [[nodiscard]] std::unique_ptr<SpawnedProgram> spawn(Words arguments) const;
  /// Starts in the foreground, and waits until all processes run. Throws if they do not.
  [[nodiscard]] std::unique_ptr<SpawnedProgram> start(Words options = {"--listen",
                                                                       "tcp://127.0.0.1:0"}) const;

  /// `status --json`.
  [[nodiscard]] nlohmann::json status() const;
  /// The rows of status() that are workers.
  [[nodiscard]] std::vector<nlohmann::json> workers() const;
  [[nodiscard]] nlohmann::json worker(int slot) const {
    return workers().at(static_cast<std::size_t>(slot));
  }
  /// Waits until `condition` is true for a worker's row. False if the test takes too long.
  [[nodiscard]] bool workerBecomes(
      int slot, const std::function<bool(const nlohmann::json&)>& condition) const;
  /// Waits until the status of a worker is "stopping". False if the test takes too long.
  [[nodiscard]] bool aWorkerIsStopping() const;
  /// The pids of all processes, the master first.
  [[nodiscard]] std::vector<pid_t> pids() const;
  /// The first port that it listens on.
  [[nodiscard]] std::uint16_t port() const;

  [[nodiscard]] std::string path(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] std::string log() const;

  /// The file that is executed.
  std::string program = STORMO_BIN_DIR "/process_probe";

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
  void send(char letter) const;
  /// The next line, "pid slot user". Empty if the connection ends, or if the test takes too long.
  [[nodiscard]] std::string receive() const;
  /// Sends a letter, and returns the parts of the answer.
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
