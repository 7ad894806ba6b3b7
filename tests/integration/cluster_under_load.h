#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "integration/cluster_ledger.h"
#include "integration/harness/breakable_proxy.h"
#include "integration/harness/nats_cluster.h"
#include "integration/harness/program_instance.h"
#include "integration/roaming_member.h"

namespace stormo::integration {

/// Three nodes of Stormo over three NATS servers, which each node reaches through proxies of its
/// own, and clients that send to their groups all the time and move between the nodes.
class ClusterUnderLoad {
 public:
  static constexpr std::size_t kNodes = 3;

  struct Load {
    std::size_t clients;
    std::size_t groups;
    std::size_t messagesPerSecond;
  };

  /// Starts all. `seed` decides which clients send and move, and which process has a fault.
  ClusterUnderLoad(const Deadline& deadline, const Load& load, std::uint64_t seed, bool haveDisks);

  NatsCluster& nats() { return nats_; }
  ClusterLedger& ledger() { return ledger_; }
  std::size_t someNode() { return random_() % kNodes; }
  std::size_t someServer() { return random_() % NatsCluster::kServers; }
  BreakableProxy& proxy(std::size_t node) { return *nodes_[node].proxy; }
  pid_t channel(std::size_t node) { return nodes_[node].program->pids("channel").at(0); }
  pid_t someWorker(std::size_t node);

  /// Ends all processes of the node.
  void killNode(std::size_t node);
  void startNode(std::size_t node);
  /// Checks what the node has logged since its start: nothing was lost.
  void checkLog(std::size_t node);
  [[nodiscard]] std::string logOf(std::size_t node) {
    return nodes_[node].program->foreground().errors();
  }

  /// Traffic until `done`, which is asked a few times each second if it `isSlow`. Throws at the
  /// deadline.
  void publishUntil(const std::string& what, const std::function<bool()>& done,
                    bool isSlow = false);
  void publishFor(std::chrono::milliseconds duration);
  /// Traffic until all that was sent before this call has arrived at all clients. The time of it.
  std::chrono::milliseconds publishUntilArrived();
  /// No more messages: until all have arrived, or none has for a minute.
  void finish();
  /// Some clients move to another node.
  void moveSome(std::size_t count);

  [[nodiscard]] std::size_t moves() const { return moves_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Node {
    std::unique_ptr<ProgramInstance> program;
    std::unique_ptr<BreakableProxy> proxy;
    std::uint16_t port = 0;
  };
  struct Client {
    std::unique_ptr<RoamingMember> member;
    std::size_t node = 0;
    Clock::time_point mayConnectAt{};
  };

  void beginStart(std::size_t node, const std::string& port);
  [[nodiscard]] bool hasStarted(std::size_t node);
  void connect(std::size_t client);
  /// Reads, writes and reconnects until `end`.
  void turn(Clock::time_point end);
  void sendSome();

  const Deadline& deadline_;
  const Load load_;
  std::mt19937_64 random_;
  NatsCluster nats_;
  std::array<Node, kNodes> nodes_;
  ClientSwarm swarm_;
  ClusterLedger ledger_;
  std::vector<Client> clients_;
  std::map<ClientSwarm::Id, std::size_t> clientOf_;  // by connection
  double due_ = 0;                                   // messages
  Clock::time_point sentAt_ = Clock::now();
  std::size_t moves_ = 0;
};

}  // namespace stormo::integration
