// Clients of a cluster get every message once and in one order, on whatever node they are, whatever
// fault a node, a NATS server or the network between them has. `./dev faults cluster` runs this for
// a longer time.
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "integration/cluster_under_load.h"
#include "integration/fixed_ports.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;

constexpr auto kBetweenFaults = 1s;
constexpr auto kBehindMax = 40s;
// Of the long run.
constexpr ClusterUnderLoad::Load kFullLoad = {
    .clients = 600, .groups = 30, .messagesPerSecond = 200};
// Of the short one: the tests run beside others.
constexpr ClusterUnderLoad::Load kSmallLoad = {
    .clients = 120, .groups = 12, .messagesPerSecond = 100};
constexpr std::size_t kShortSeconds = 15;

bool canMount = false;

std::size_t numberFromEnvironment(const char* name, std::size_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoul(value);
}

const std::chrono::seconds kDuration(numberFromEnvironment("STORMO_FAULTS_SECONDS", kShortSeconds));

class ClusterFaultsTest : public testing::Test {
 protected:
  void start() {
    std::printf("seed %zu (STORMO_FAULTS_SEED repeats it)\n", seed);
    if (!canMount) std::printf("without full disks: this system allows no mounts of a test\n");
    const bool isShort = kDuration.count() <= static_cast<long>(kShortSeconds);
    cluster.emplace(deadline, isShort ? kSmallLoad : kFullLoad, seed, canMount);
    if (nats().isOld()) {
      std::printf("without faults that nats-server 2.9 and older do not survive\n");
    }
  }

  // Each function causes one fault during traffic, and repairs it.
  void killServer(std::size_t server) {
    nats()[server].kill();
    cluster->publishFor(2s);
    nats()[server].start();
  }
  std::size_t leader() { return nats().leader().value_or(cluster->someServer()); }
  void stopServerForAWhile(std::size_t server) {
    nats()[server].signal(SIGSTOP);
    cluster->publishFor(6s);
    nats()[server].signal(SIGCONT);
  }
  /// Without a majority nothing moves.
  void killTwoServers() {
    const std::size_t remaining = cluster->someServer();
    for (std::size_t i = 1; i <= 2; ++i) {
      nats()[(remaining + i) % NatsCluster::kServers].kill();
      cluster->publishFor(1s);
    }
    const std::uint64_t received = cluster->ledger().receivedCount();
    cluster->publishFor(4s);
    EXPECT_EQ(cluster->ledger().receivedCount(), received) << "delivered without a majority";
    for (std::size_t i = 1; i <= 2; ++i) nats()[(remaining + i) % NatsCluster::kServers].start();
  }
  void lameDuck() {
    const std::size_t server = cluster->someServer();
    nats()[server].signal(SIGUSR2);
    cluster->publishUntil("the end of a lame duck", [&] { return nats()[server].hasEnded(); });
    nats()[server].start();
  }
  /// NATS turns JetStream off at a server that cannot write; it needs a restart.
  void fillDisk() {
    const std::size_t server = cluster->someServer();
    nats().disk(server)->fill();
    cluster->publishFor(5s);
    nats().disk(server)->free();
    if (nats().isOld()) return nats().startEmpty(server);
    nats()[server].kill();
    nats()[server].start();
  }
  void fillAllDisks() {
    for (std::size_t i = 0; i < NatsCluster::kServers; ++i) nats().disk(i)->fill();
    cluster->publishFor(5s);
    for (std::size_t i = 0; i < NatsCluster::kServers; ++i) {
      nats().disk(i)->free();
      nats()[i].kill();
      nats()[i].start();
    }
  }
  void killChannel() { ::kill(cluster->channel(cluster->someNode()), SIGKILL); }
  void killWorker() { ::kill(cluster->someWorker(cluster->someNode()), SIGKILL); }
  void killNode() {
    const std::size_t node = cluster->someNode();
    cluster->killNode(node);
    cluster->publishFor(2s);
    cluster->startNode(node);
  }
  /// For longer than it takes to declare its node gone.
  void stopForAWhile(pid_t pid) {
    ::kill(pid, SIGSTOP);
    cluster->publishFor(5s);
    ::kill(pid, SIGCONT);
  }
  void cutNode() {
    BreakableProxy& proxy = cluster->proxy(cluster->someNode());
    proxy.cut();
    cluster->publishFor(5s);
    proxy.repair();
  }
  void stallNode() {
    BreakableProxy& proxy = cluster->proxy(cluster->someNode());
    proxy.stall();
    cluster->publishFor(7s);
    proxy.repair();
  }

  struct Fault {
    const char* name;
    std::function<void()> happen;
  };
  std::vector<Fault> faults() {
    std::vector<Fault> all = {
        {"kill -9 the NATS server that leads the stream", [this] { killServer(leader()); }},
        {"kill -9 a NATS server", [this] { killServer(cluster->someServer()); }},
        {"stop a NATS server that follows for 6 s",
         [this] { stopServerForAWhile((leader() + 1) % NatsCluster::kServers); }},
        {"kill -9 two NATS servers", [this] { killTwoServers(); }},
        {"lame duck", [this] { lameDuck(); }},
        {"kill -9 a Channel", [this] { killChannel(); }},
        {"kill -9 a worker", [this] { killWorker(); }},
        {"kill -9 a node", [this] { killNode(); }},
        {"stop a Channel for 5 s",
         [this] { stopForAWhile(cluster->channel(cluster->someNode())); }},
        {"stop a worker for 5 s",
         [this] { stopForAWhile(cluster->someWorker(cluster->someNode())); }},
        {"cut a node from NATS for 5 s", [this] { cutNode(); }},
        {"drop all packets between a node and NATS for 7 s", [this] { stallNode(); }},
    };
    if (canMount) all.push_back({"no room on the disk of a NATS server", [this] { fillDisk(); }});
    if (nats().isOld()) return all;
    all.push_back({"stop the NATS server that leads the stream for 6 s",
                   [this] { stopServerForAWhile(leader()); }});
    if (canMount) {
      all.push_back({"no room on the disks of all NATS servers", [this] { fillAllDisks(); }});
    }
    return all;
  }

  /// Otherwise the next fault is one of two servers. A server that does not manage it is restarted,
  /// as an operator would.
  void makeNatsWhole() {
    std::vector<std::size_t> behind;
    for (auto restartAt = steady_clock::now() + kBehindMax;;) {
      cluster->publishUntil(
          "the NATS servers to have the stream",
          [&] { return (behind = nats().behind()).empty() || steady_clock::now() >= restartAt; },
          true);
      if (behind.empty()) return;
      restartAt = steady_clock::now() + kBehindMax;
      for (const std::size_t server : behind) {
        std::printf("  NATS server %zu does not follow the stream, and is restarted\n", server);
        nats()[server].kill();
        nats()[server].start();
      }
    }
  }

  void cause(const Fault& fault) {
    cluster->publishFor(kBetweenFaults);
    std::printf("%s\n", fault.name);
    std::fflush(stdout);
    cluster->moveSome(10);
    fault.happen();
    const auto repaired = steady_clock::now();
    cluster->moveSome(10);
    const auto arrived = cluster->publishUntilArrived();
    makeNatsWhole();
    const auto whole =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - repaired);
    std::printf("  delivered %ld ms after the repair, NATS whole after %ld ms\n",
                static_cast<long>(arrived.count()), static_cast<long>(whole.count()));
    for (std::size_t node = 0; node < ClusterUnderLoad::kNodes; ++node) cluster->checkLog(node);
  }

  NatsCluster& nats() { return cluster->nats(); }

  const Deadline deadline{kDuration + 300s};
  const std::size_t seed =
      numberFromEnvironment("STORMO_FAULTS_SEED", static_cast<std::size_t>(std::random_device{}()));
  std::mt19937_64 random{seed};
  std::optional<ClusterUnderLoad> cluster;
};

TEST_F(ClusterFaultsTest, NoMessageIsLostDuplicatedOrReordered) {
  if (!test::isNatsServerInstalled()) GTEST_SKIP() << "nats-server is not installed";
  start();
  std::vector<Fault> order = faults();
  // For a search: faults whose name has this text.
  if (const char* only = std::getenv("STORMO_FAULTS_ONLY")) {
    std::erase_if(order, [&](const Fault& fault) {
      return std::string_view(fault.name).find(only) == std::string_view::npos;
    });
  }
  const auto end = steady_clock::now() + kDuration;
  while (steady_clock::now() < end) {
    std::shuffle(order.begin(), order.end(), random);
    for (const Fault& fault : order) {
      if (steady_clock::now() >= end) break;
      cause(fault);
      ASSERT_THAT(cluster->ledger().wrong(), IsEmpty()) << "after: " << fault.name;
      ASSERT_FALSE(HasFailure());
    }
  }
  cluster->finish();
  EXPECT_THAT(cluster->ledger().missing(), IsEmpty());
  EXPECT_THAT(cluster->ledger().wrong(), IsEmpty());
  std::printf("%lu messages sent, %lu received; clients moved %zu times\n",
              cluster->ledger().sentCount(), cluster->ledger().receivedCount(), cluster->moves());
  EXPECT_GT(cluster->ledger().receivedCount(), 1000u);
}

}  // namespace
}  // namespace stormo::integration

int main(int argc, char** argv) {
  stormo::integration::enterPrivateNetwork();
  stormo::integration::canMount = stormo::integration::enterPrivateMounts();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
