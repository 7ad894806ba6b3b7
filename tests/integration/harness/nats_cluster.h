#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "integration/harness/small_disk.h"
#include "support/nats_server.h"

namespace stormo::integration {

/// Three NATS servers that are one cluster with JetStream, each on a free port of 127.0.0.1.
class NatsCluster {
 public:
  static constexpr std::size_t kServers = 3;
  static constexpr const char* kStream = "stormo";

  /// `haveDisks`: each has a file system of its own, which needs enterPrivateMounts().
  NatsCluster(const test::Deadline& deadline, bool haveDisks);

  test::NatsServer& operator[](std::size_t server) { return *servers_.at(server); }
  /// Null without disks of their own.
  [[nodiscard]] SmallDisk* disk(std::size_t server) { return disks_.at(server).get(); }
  [[nodiscard]] std::vector<std::uint16_t> ports() const;

  /// True for nats-server 2.9 and older, whose copies of a stream may differ for good after some
  /// faults: docs/delivery.md.
  [[nodiscard]] bool isOld() const;

  /// Starts a server again without the files that it had.
  void startEmpty(std::size_t server);

  /// The server that leads the stream; nothing during an election.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  /// The servers that do not have all of the stream; all of them during an election.
  [[nodiscard]] std::vector<std::size_t> behind() const;

 private:
  /// What JetStream says of the stream. Empty if it does not answer.
  [[nodiscard]] std::string describeStream() const;

  std::array<test::TempDirectory, kServers> stores_;
  std::array<std::unique_ptr<SmallDisk>, kServers> disks_;
  std::array<std::unique_ptr<test::NatsServer>, kServers> servers_;
};

}  // namespace stormo::integration
