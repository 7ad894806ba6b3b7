#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "channel/client/client_link.h"
#include "channel/cluster/cluster_log.h"
#include "channel/cluster/scripted_stream.h"
#include "channel/job_ledger.h"
#include "channel/log/simulated_log_directory.h"
#include "channel/server/server_process.h"
#include "channel/simulated_member.h"
#include "channel/simulated_network.h"
#include "channel/simulation_ledger.h"
#include "event/loop_impl.h"
#include "support/temp_directory.h"

namespace stormo::channel {

/// One run of the real Channels of three nodes and of their clients in one process, over one
/// scripted stream, with a clock, a network and disks that a seed controls.
class ChannelsSimulation {
 public:
  explicit ChannelsSimulation(std::uint64_t seed);
  ~ChannelsSimulation();

  void run();

  /// A description of the first error; empty if there is none.
  std::string error();
  [[nodiscard]] const std::string& trace() const { return trace_; }

  struct Counts {
    std::size_t messages = 0;
    std::size_t jobs = 0;
    std::size_t deaths = 0;
    std::size_t snapshots = 0;
    std::size_t moves = 0;  ///< Of members, to a client of another node.
  };
  [[nodiscard]] Counts counts() const;

 private:
  static constexpr std::size_t kNodes = 3;
  static constexpr std::size_t kClients = 5;
  static constexpr std::size_t kMembers = 2;

  struct Node {
    test::SimulatedLogDirectory directory;
    std::string path;
    UniqueFd listening;
    std::optional<ServerProcess> process;
    ClusterLog* log = nullptr;
    ScriptedStream* stream = nullptr;
    bool isBroken = false;
  };
  struct HeldJob {
    std::uint64_t number = 0;
    std::string text;
  };
  struct Client {
    std::unique_ptr<SimulatedLink> network;
    std::unique_ptr<ClientLink> link;
    std::size_t participant = 0;
    std::vector<HeldJob> held;
  };
  struct Member {
    std::optional<SimulatedMember> self;
    std::size_t participant = 0;
    std::size_t client = 0;
  };

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  void note(const std::string& what) { trace_ += what + "\n"; }

  void startNode(std::size_t index);
  void killNode(std::size_t index);
  void replaceBroken();
  void startClient(std::size_t index);
  void startMember(Member& member);

  void step();
  bool stepOfNode(std::size_t kind, std::size_t index);
  bool stepOfClient(std::size_t kind, std::size_t index);
  void stepOfNetwork(std::size_t index);
  void actAsMember(Member& member, std::size_t index);
  void publish(std::size_t index);
  void enqueue(std::size_t index);
  void endJob(std::size_t index);

  void turn();
  bool moveLinks();
  bool moveAll();
  void runWithoutFaults();
  void finishAllJobs();

  static EventLoop::TimePoint now_;
  std::mt19937_64 random_;
  bool hasJobs_ = false;  // else nodes are declared gone, and their jobs would be done twice
  test::TempDirectory directory_;
  EventLoop loop_;
  Server settings_{"127.0.0.1", 0};
  ScriptedServers servers_;
  std::array<Node, kNodes> nodes_;
  std::array<Client, kClients> clients_;
  std::array<Member, kMembers> members_;
  SimulationLedger ledger_;
  JobLedger jobs_;
  Counts counts_;
  std::string trace_;
  std::string error_;
};

}  // namespace stormo::channel
