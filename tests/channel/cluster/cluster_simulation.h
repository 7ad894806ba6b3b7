#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "channel/cluster/cluster_log.h"
#include "channel/cluster/list_state.h"
#include "channel/cluster/scripted_stream.h"
#include "channel/log/simulated_log_directory.h"
#include "event/loop_impl.h"

namespace stormo::channel {

/// One run of the real log of several nodes over one scripted stream, with a clock, a network and
/// disks that a seed controls.
class ClusterSimulation {
 public:
  explicit ClusterSimulation(std::uint64_t seed);

  void run();

  struct Counts {
    std::size_t records = 0;
    std::size_t snapshots = 0;
    std::size_t peerSnapshots = 0;
    std::size_t gone = 0;
    std::size_t recalled = 0;
    std::size_t messages = 0;
    std::size_t losses = 0;
  };
  [[nodiscard]] Counts counts() const { return counts_; }
  [[nodiscard]] const std::string& trace() const { return trace_; }

  std::string error();

 private:
  using TimePoint = EventLoop::TimePoint;
  using Place = std::pair<std::uint64_t, std::uint64_t>;  // epoch and offset
  struct Node {
    test::SimulatedLogDirectory directory;
    std::optional<ListState> state;
    std::unique_ptr<ClusterLog> log;
    ScriptedStream* stream = nullptr;
    bool isOpen = false;
    bool isBroken = false;
    std::uint64_t appended = 0;  // by this process
    std::uint64_t process = 0;
    bool wasCut = false;  // the stream had not all when it started
  };

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  void note(const std::string& what) { trace_ += what + "\n"; }
  std::string nameOf(const Node& node) { return std::to_string(&node - nodes_.data()); }

  void start(Node& node);

  void onOpened(Node& node);

  /// What its process has appended and not seen applied may be lost, or come later.
  void kill(Node& node);

  void append(Node& node);

  void step();

  /// The power of the servers fails.
  void loseMessages();
  [[nodiscard]] static std::uint64_t coveredBy(const Node& node);
  /// Somebody must have what the stream has forgotten.
  [[nodiscard]] bool isCoveredByOthers(const Node& node);
  /// What the latest snapshot of a node has.
  void forget();

  void checkAll();

  void turn() { loop_.turn({}); }

  void runWithoutFaults();

  /// Of each process: what it has appended is there once and in its order; all of it if it lives.
  std::string lostOrRepeated(const std::vector<std::string>& entries);

  static TimePoint now_;
  std::mt19937_64 random_;
  EventLoop loop_;
  ScriptedServers servers_;
  static constexpr std::size_t kNodes = 3;
  std::array<Node, kNodes> nodes_;
  std::uint64_t lastRecord_ = 0;
  std::uint64_t lastProcess_ = 0;
  std::map<std::uint64_t, std::vector<std::string>> sent_;  // by process
  std::map<Place, std::string> known_;
  // Records that were applied. Until a node that has read them is back, others give their offsets
  // to others.
  bool hasLost_ = false;
  Counts counts_;
  std::string trace_;
  std::string error_;
};

}  // namespace stormo::channel
