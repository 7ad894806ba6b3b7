#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "process/probe_runner.h"

namespace stormo::process {

inline const std::string kAnyPort = "tcp://127.0.0.1:0";

inline std::string contentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The probe program, driven by its command line.
struct Start : testing::Test {
  /// The message of a command without a running instance.
  [[nodiscard]] std::string notRunning() const {
    return "probe: not running (instance 'probe' in " + folder() + ")\n";
  }
  [[nodiscard]] std::string folder() const {
    return std::filesystem::path(probe.path("x")).parent_path();
  }
  /// The command line in hints.
  [[nodiscard]] std::string commandLine() const { return "probe --runtime-dir " + folder(); }

  /// Expects that no process holds the lock and no socket remains.
  void expectNothingRuns() const {
    const Outcome status = probe.run({"status"});
    EXPECT_EQ(status.status, 1);
    EXPECT_EQ(status.errors, notRunning());
  }

  const Deadline deadline;
  ProbeProgram probe{deadline};
};

}  // namespace stormo::process
