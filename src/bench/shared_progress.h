#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "bench/histogram.h"

namespace stormo::bench {

/// Phases of the generator's processes, in this order. A process enters a phase when SharedProgress
/// does.
enum class Phase : std::uint32_t {
  Connect,  ///< Connections, handshakes, joins.
  Probe,    ///< Each group is sent probes until each of its members has received one.
  Ready,    ///< No more probes; members are ready to count.
  WarmUp,   ///< Publishers publish.
  Measure,  ///< As WarmUp, and measured.
  Stop,     ///< No publisher starts a new message.
  Drain,    ///< The number of published messages is known; members wait for the missing ones.
  End,
};

/// The first text set by one process; other processes may read it at any time.
class FirstText {
 public:
  /// Stores the text, cut at kBytesMax. Later calls do nothing.
  void set(std::string_view text);
  [[nodiscard]] bool isSet() const { return bytes_.load(std::memory_order_acquire) > 0; }
  /// Empty before the first set().
  [[nodiscard]] std::string text() const;

  static constexpr std::size_t kBytesMax = 200;

 private:
  std::atomic<std::size_t> bytes_{0};  // written last, read first
  char text_[kBytesMax] = {};
};

/// Progress of one process of the generator. Only that process writes it.
struct ProcessProgress {
  std::atomic<Phase> reached{Phase::Connect};
  Counter open;  ///< Members that have joined.
  /// Latest round of probes sent. `probesReceived` is of this round or a later one.
  std::atomic<std::uint32_t> probed{0};
  Counter probesReceived;  ///< Members that received a probe of that round.
  Counter closed;          ///< Connections refused or closed by the server.
  Counter delivered;       ///< Messages of the run so far.
  Counter complete;        ///< Members that have all messages or were closed, in phase Drain.
  // In phase Measure only.
  Counter measuredNs;
  Counter measuredDelivered;
  Counter measuredPublished;
  // Members of stormo.v1 that have made their connection again.
  Counter returned;
  Counter refused;                             ///< Attempts that failed.
  std::array<Counter, 3600> returnedInSecond;  ///< By second since the begin of phase Measure.
  // Faults of the run.
  Counter missing;
  Counter surplus;
  Counter disordered;
  FirstText firstFault;
  Histogram latency;  ///< Of messages that arrived in phase Measure and were read.
};

/// Memory shared by the generator's processes. Created before the fork, freed with this object.
class SharedProgress {
 public:
  /// Throws std::system_error if there is no memory.
  SharedProgress(std::size_t processes, std::size_t groups);
  ~SharedProgress();
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;

  [[nodiscard]] Phase phase() const { return shared_->phase.load(std::memory_order_acquire); }
  void setPhase(Phase phase) { shared_->phase.store(phase, std::memory_order_release); }

  [[nodiscard]] std::uint32_t probeRound() const { return shared_->probeRound.load(); }
  void setProbeRound(std::uint32_t round) { shared_->probeRound.store(round); }

  /// Number of messages of the run published to a group by all processes that have reached Stop.
  [[nodiscard]] std::atomic<std::uint64_t>& publishedTo(std::size_t group) const {
    return publishedTo_[group];
  }

  [[nodiscard]] ProcessProgress& process(std::size_t index) const { return processes_[index]; }
  [[nodiscard]] std::size_t processCount() const { return processCount_; }

  /// Sum over all processes.
  [[nodiscard]] std::uint64_t sum(Counter ProcessProgress::*counter) const;
  [[nodiscard]] bool allReached(Phase phase) const;
  [[nodiscard]] bool allProbed(std::uint32_t round) const;
  /// Fault text of the first process that has one; empty if none has.
  [[nodiscard]] std::string firstFault() const;

 private:
  struct Shared {
    std::atomic<Phase> phase{Phase::Connect};
    std::atomic<std::uint32_t> probeRound{0};
  };

  [[nodiscard]] std::span<const ProcessProgress> processes() const {
    return {processes_, processCount_};
  }

  std::size_t bytes_;
  std::size_t processCount_;
  Shared* shared_;
  ProcessProgress* processes_;
  std::atomic<std::uint64_t>* publishedTo_;
};

}  // namespace stormo::bench
