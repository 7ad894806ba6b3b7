#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"

namespace stormo::test {

/// False if Debian's package nats-server is not installed, and the environment variable NATS_SERVER
/// names no other program.
[[nodiscard]] bool isNatsServerInstalled();

/// A nats-server on a free port of 127.0.0.1, with JetStream in a temporary directory. Ends with
/// this object.
class NatsServer {
 public:
  static constexpr const char* kJetStream = "jetstream { max_mem: 256MB, max_file: 1GB }\n";

  /// Starts it. `configuration` follows the address in its file; {dir} is the directory. `store`:
  /// of JetStream's files, if not in that directory.
  explicit NatsServer(const Deadline& deadline, std::string configuration = kJetStream,
                      std::string store = {});

  /// With SIGKILL, as all that follow.
  void kill();
  /// Starts it again on the same port with the same files.
  void start();
  void signal(int number) const { program_->signal(number); }
  [[nodiscard]] bool hasEnded() const { return program_->statusIfEnded().has_value(); }
  /// What it has logged since its latest start.
  [[nodiscard]] std::string log() const { return program_->errors(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view login = {},
                                std::string_view scheme = "nats") const;
  [[nodiscard]] const TempDirectory& directory() const { return directory_; }

  /// A request to JetStream's API: its answer. Empty if there is none in that time, or until the
  /// deadline.
  [[nodiscard]] std::string request(
      const std::string& subject, const std::string& body,
      std::chrono::milliseconds patience = std::chrono::hours(1)) const;

 private:
  const Deadline& deadline_;
  const std::string configuration_;
  TempDirectory directory_;
  const std::string store_;
  std::uint16_t port_ = 0;
  std::unique_ptr<SpawnedProgram> program_;
};

}  // namespace stormo::test
