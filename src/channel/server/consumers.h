#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "channel/server/channel_state.h"
#include "channel/server/job_dispatcher.h"
#include "channel/server/journal.h"

namespace stormo::channel {

/// The processes that take jobs, of this node. Hands jobs to them, by records of the log, and takes
/// back those of a process that has no link any more: at once if it cannot come back, else after a
/// time.
///
/// Other nodes hand the same jobs to consumers of theirs: the first record counts.
class Consumers final : JobSink {
 public:
  /// All outlive this. Jobs that this node has handed out before are those of consumers that are
  /// away.
  Consumers(Journal& journal, const ChannelState& state, NodeId node,
            std::chrono::milliseconds absentMax);
  ~Consumers();
  Consumers(const Consumers&) = delete;
  Consumers& operator=(const Consumers&) = delete;

  /// Sends a job to its consumer, which is here.
  std::function<void(const JobStore::Job& job)> deliver;

  /// The consumer has a new link, on which it reserves again.
  void arrive(ConsumerId consumer);
  /// Its link has ended. `comesBack`: it is known by the same number on its next link.
  void leave(ConsumerId consumer, bool comesBack);
  /// The number of jobs that it holds, or will hold when their records are applied.
  [[nodiscard]] std::size_t jobCountOf(ConsumerId consumer) const;
  /// Delivers the jobs that it has already, once more.
  void deliverAgain(ConsumerId consumer);

  void watch(ConsumerId consumer, std::string_view queue);
  void unwatch(ConsumerId consumer, std::string_view queue) {
    dispatcher_.unwatch(consumer, queue);
  }
  void reserve(ConsumerId consumer) { dispatcher_.reserve(consumer); }
  /// For a consumer that does not state which job it has done: the one that it has had longest.
  void finishOldest(ConsumerId consumer);
  [[nodiscard]] bool hasQueue(std::string_view queue) const { return dispatcher_.has(queue); }
  [[nodiscard]] std::size_t queueCount() const { return dispatcher_.queueCount(); }

  // What records have changed.
  void onJobWaiting(std::uint64_t number, std::string_view queue) {
    dispatcher_.add(number, queue);
  }
  void onJobHanded(std::uint64_t number, const JobStore::Job& job);
  void onJobMissed(ConsumerId consumer);
  void onJobLeft(std::uint64_t lease, ConsumerId consumer);

 private:
  struct Consumer {
    bool isHere = false;
    std::set<std::uint64_t> leases;  ///< Of the jobs that it holds.
    std::size_t handing = 0;         ///< Jobs that it will hold when their records are applied.
    Timer::Id absence = 0;           ///< While it is away and may come back.
    bool hasWatched = false;         ///< On this link.
    std::size_t owed = 0;            ///< Reservations that it gets back when it watches a queue.
  };

  void hand(ConsumerId consumer, std::uint64_t number, std::string_view queue) override;
  void awaitReturn(ConsumerId id, Consumer& consumer);
  void giveBackAll(ConsumerId id);
  void forgetIfIdle(ConsumerId id);
  void record(ConsumerId consumer, Kind kind, std::uint64_t number, std::string_view queue = {});

  Journal& journal_;
  const ChannelState& state_;
  const NodeId node_;
  const std::chrono::milliseconds absentMax_;
  JobDispatcher dispatcher_;
  KeyedMap<ConsumerId, Consumer> consumers_;
  std::string scratch_;
};

}  // namespace stormo::channel
