#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel/nats/nats_stream.h"
#include "channel/nats/recording_sink.h"
#include "support/loop_fixture.h"
#include "support/nats_server.h"

namespace stormo::test {

/// A stream and what it reports, on the test's loop.
struct Node {
  explicit Node(channel::ClusterSettings settings) : stream(std::move(settings)) {
    stream.open(sink);
  }
  RecordingSink sink;
  channel::NatsStream stream;
};

/// Tests with real NATS servers.
class NatsTest : public LoopTest {
 protected:
  void SetUp() override {
    if (!isNatsServerInstalled()) GTEST_SKIP() << "nats-server is not installed";
  }

  static channel::ClusterSettings settingsFor(std::vector<std::string> servers) {
    return {.servers = std::move(servers), .replicas = 1};
  }
  [[nodiscard]] bool connects(Node& node) {
    return turnUntil([&] { return node.sink.isConnected; });
  }
  [[nodiscard]] bool loses(Node& node) {
    return turnUntil([&] { return !node.sink.reasons.empty(); });
  }
  [[nodiscard]] bool has(const Node& node, std::size_t messages) {
    return turnUntil([&] { return node.sink.messages.size() >= messages; });
  }
  /// Publishes "1", "2", … with these as ids, after `first` - 1.
  static void publishNumbers(Node& node, int first, int last) {
    for (int i = first; i <= last; ++i) {
      node.stream.publish("id-" + std::to_string(i), std::to_string(i));
    }
  }
  static std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> all;
    for (int i = first; i <= last; ++i) all.push_back(std::to_string(i));
    return all;
  }

  Deadline deadline;
};

}  // namespace stormo::test
