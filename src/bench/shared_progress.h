#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "bench/histogram.h"

namespace stormo::bench {

/// What the generator's processes do, in this order. A process goes on when the progress says so.
enum class Phase : std::uint32_t {
  Connect,  ///< Connections, handshakes, joins.
  Probe,    ///< Each group gets messages until each of its members has heard one.
  Ready,    ///< No probe comes any more; members stand ready to count.
  WarmUp,   ///< ProducerTable publish.
  Measure,  ///< The same, measured.
  Stop,     ///< No publisher publishes anew.
  Drain,    ///< All that was published is known; members wait for what they still lack.
  End,
};

/// The first words that one process says here; others may read them at any time.
class FirstWords {
 public:
  /// Keeps them, cut at kBytesMax; whatever is said later is forgotten.
  void say(std::string_view words);
  [[nodiscard]] bool areSaid() const { return bytes_.load(std::memory_order_acquire) > 0; }
  /// Empty until some were said.
  [[nodiscard]] std::string text() const;

  static constexpr std::size_t kBytesMax = 200;

 private:
  std::atomic<std::size_t> bytes_{0};  // last written, and first read
  char text_[kBytesMax] = {};
};

/// What one process of the generator tells. It alone writes it.
struct ProcessProgress {
  std::atomic<Phase> reached{Phase::Connect};
  Counter open;  ///< Members that have joined.
  /// The round of probes that it has sent; `heard` is of this round, or of a later one.
  std::atomic<std::uint32_t> probed{0};
  Counter heard;      ///< Members that have heard that round.
  Counter closed;     ///< Connections that the server refused or closed.
  Counter delivered;  ///< Messages of the run, so far.
  Counter complete;   ///< Members that have all, or were closed, in phase Drain.
  // Of phase Measure alone.
  Counter measuredNs;
  Counter measuredDelivered;
  Counter measuredPublished;
  // Faults of the run.
  Counter missing;
  Counter surplus;
  Counter disordered;
  FirstWords firstFault;
  Histogram latency;  ///< Of the messages that came in phase Measure and were looked at.
};

/// Memory that the processes of a generator share: made before they fork, gone with this.
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

  /// What was published to a group in the run, by all processes that have reached Stop.
  [[nodiscard]] std::atomic<std::uint64_t>& publishedTo(std::size_t group) const {
    return publishedTo_[group];
  }

  [[nodiscard]] ProcessProgress& process(std::size_t index) const { return processes_[index]; }
  [[nodiscard]] std::size_t processCount() const { return processCount_; }

  /// Of all processes together.
  [[nodiscard]] std::uint64_t sum(Counter ProcessProgress::*counter) const;
  [[nodiscard]] bool allReached(Phase phase) const;
  [[nodiscard]] bool allProbed(std::uint32_t round) const;
  /// Of the first process that has one; empty if none has.
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
