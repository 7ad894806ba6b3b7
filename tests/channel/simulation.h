#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "channel/client/client_link.h"
#include "channel/job_ledger.h"
#include "channel/simulated_member.h"
#include "channel/simulated_network.h"
#include "channel/simulated_server.h"
#include "channel/simulation_ledger.h"
#include "support/temp_directory.h"

namespace stormo::channel {

/// One run of the real Channel and clients in one process, with a clock, a network and a disk that
/// a seed controls.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  ~Simulation();

  void run();

  /// A description of the first error; empty if there is none.
  std::string error();
  [[nodiscard]] const std::string& trace() const { return trace_; }

  /// What has happened, so that a test can check that it has tested something.
  struct Counts {
    std::size_t messages = 0;
    std::size_t jobs = 0;
    std::size_t deathsInTurn = 0;
    std::size_t snapshots = 0;
    std::size_t newEpochs = 0;
    std::size_t lags = 0;     ///< Links that lagged, in each turn.
    std::size_t blocked = 0;  ///< Turns in which the log could not be written.
  };
  [[nodiscard]] Counts counts() const;

 private:
  static constexpr std::size_t kClients = 3;
  static constexpr std::size_t kMembers = 2;

  struct HeldJob {
    std::uint64_t number = 0;
    std::string text;
  };
  struct Client {
    std::unique_ptr<ClientLink> link;
    std::size_t participant = 0;
    std::uint64_t epoch = 0;   ///< As of its last gap.
    bool hasReceived = false;  ///< In this epoch.
    std::vector<HeldJob> held;
    bool isStalled = false;  ///< Nothing moves down.
  };
  struct Member {
    std::optional<SimulatedMember> self;
    std::size_t participant = 0;
    std::size_t client = 0;  ///< The index in clients_ while isJoined().
  };

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  void note(const std::string& what) { trace_ += what + "\n"; }
  [[nodiscard]] bool isUp() const { return server_->isUp(); }

  void configure(std::uint64_t seed);
  void startClient(std::size_t index, bool isFirst);
  void killClient(std::size_t index);
  void onGap(std::size_t index);
  void startMember(Member& member);
  template <typename Function>
  void forMembersOf(std::size_t index, const Function& function);
  void move(Member& member, std::size_t index);

  void step();
  /// Steps of some kind: false if it has none of this number.
  bool stepOfServer(std::size_t kind);
  bool stepOfDisk(std::size_t kind);
  bool stepOfClient(std::size_t kind, std::size_t index);
  void stepOfNetwork(std::size_t index);
  void killInTurn();
  void replaceServer();
  void actAsMember(Member& member, std::size_t index);
  void publish(std::size_t index);
  std::string textFor(std::size_t participant, std::size_t group);
  void enqueue(std::size_t index);
  void endJob(std::size_t index);

  void turn();
  void turnWithDisk();
  void shutServerSockets();
  /// Runs without faults until nothing is in flight.
  void runWithoutFaults();
  bool moveAll();
  void finishAllJobs();

  static TimePoint now_;
  std::mt19937_64 random_;
  test::TempDirectory directory_;
  EventLoop loop_;
  Server settings_{"127.0.0.1", 0};
  UniqueFd listening_;
  std::optional<SimulatedServer> server_;
  bool isCalm_ = false;  // no process dies, and no link is lost
  bool hasFailedSync_ = false;
  std::vector<std::unique_ptr<SimulatedLink>> links_;
  std::vector<Client> clients_;
  std::array<Member, kMembers> members_;
  SimulationLedger ledger_;
  JobLedger jobs_;
  Counts counts_;
  std::string trace_;
  std::string error_;
};

}  // namespace stormo::channel
