// Several nodes of a new cluster create its stream at the same moment.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "channel/nats/server_url.h"
#include "channel/nats/stream_setup.h"
#include "integration/harness/nats_cluster.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using channel::NatsConnection;
using channel::NatsLibrary;

constexpr std::size_t kNodes = 3;

class StreamCreationTest : public testing::Test {
 protected:
  /// The epoch of the stream, which is created if it does not exist. As a node, it tries again.
  std::uint64_t epochOf(const channel::ClusterSettings& settings, std::size_t server) {
    std::string problem;
    const NatsLibrary* const library = NatsLibrary::load(problem);
    const auto connection =
        NatsConnection::connect(*library, settings, channel::parseServerUrl(nats[server].url()),
                                {.onClosed = [](const std::string&) {},
                                 .onLameDuck = [] {},
                                 .onServerError = [](const std::string&) {}},
                                problem);
    while (connection && !deadline.isOver()) {
      const auto setup = channel::setUpStream(*library, *connection, settings, problem);
      if (setup) return setup->info.epoch;
    }
    ADD_FAILURE() << "server " << server << ": " << problem;
    return 0;
  }

  const test::Deadline deadline{90s};
  NatsCluster nats{deadline, /*haveDisks=*/false};
};

TEST_F(StreamCreationTest, NodesThatCreateItAtOnceSeeTheSameEpoch) {
  if (!test::isNatsServerInstalled()) GTEST_SKIP() << "nats-server is not installed";
  const channel::ClusterSettings settings = {
      .servers = {"nats://127.0.0.1"}, .replicas = 3, .maxBytes = 1 << 20};
  std::vector<std::uint64_t> epochs(kNodes);
  std::vector<std::thread> nodes;
  for (std::size_t node = 0; node < kNodes; ++node) {
    nodes.emplace_back([&, node] { epochs[node] = epochOf(settings, node); });
  }
  for (std::thread& node : nodes) node.join();
  EXPECT_EQ(epochs, std::vector<std::uint64_t>(kNodes, epochOf(settings, 0)));
}

}  // namespace
}  // namespace stormo::integration
