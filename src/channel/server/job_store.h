#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/log/log.h"
#include "channel/log/state_stream.h"

namespace stormo::channel {

/// Identifies who takes jobs, over all its links. Never zero.
using ConsumerId = std::uint64_t;

/// The jobs that are not done: part of the Channel's state. A job waits in its queue, or was handed
/// to a consumer. Jobs have numbers, which increase; a queue's order is that of its jobs' numbers,
/// so a job that is given back is the next one. Each time that a job is handed to a consumer it
/// gets a lease, a number that increases, too: a consumer that has the same job twice, the second
/// time because it gave it back, can distinguish the two.
class JobStore {
 public:
  /// Memory of a job in addition to its bytes.
  static constexpr std::size_t kJobOverheadBytes = 64;

  struct Job {
    std::string queue;
    std::string data;
    ConsumerId consumer = 0;  ///< 0: it waits.
    std::uint64_t lease = 0;
    NodeId node = 0;  ///< Of its consumer: the one that has handed it.
  };
  /// A job that was handed to a consumer, and waits again.
  struct Left {
    std::uint64_t number;
    std::uint64_t lease;
    ConsumerId consumer;
  };

  void enqueue(std::uint64_t number, std::string_view queue, std::string_view data);
  /// Null if the job does not exist, or was handed to a consumer.
  const Job* hand(std::uint64_t number, ConsumerId consumer, std::uint64_t lease, NodeId node);
  /// The consumer has done the job of that lease. False if it does not hold it.
  bool finish(std::uint64_t lease, ConsumerId consumer);
  /// The job waits again. Returns its number, or 0 if this consumer does not hold it.
  std::uint64_t giveBack(std::uint64_t lease, ConsumerId consumer);
  /// All jobs that this node has handed wait again. In the order of their numbers.
  std::vector<Left> giveBackAll(NodeId node);

  /// Null if there is none of that number.
  [[nodiscard]] const Job* find(std::uint64_t number) const;
  /// The job of a lease. Null if nobody holds it any more.
  [[nodiscard]] const Job* held(std::uint64_t lease) const;
  /// In the order of the numbers.
  template <typename Visit>
  void forEach(const Visit& visit) const {
    for (const auto& [number, job] : jobs_) visit(number, job);
  }
  /// Bytes of all jobs of one queue, including their overhead.
  [[nodiscard]] std::size_t bytesOf(std::string_view queue) const;
  [[nodiscard]] std::size_t queueCount() const { return queueBytes_.size(); }

  void save(StateWriter& out) const;
  /// Only on an empty store.
  void restore(StateReader& in);

 private:
  using Jobs = std::map<std::uint64_t, Job>;

  /// jobs_.end() if the consumer does not hold that lease.
  Jobs::iterator heldBy(ConsumerId consumer, std::uint64_t lease);
  static void letWait(Job& job);

  Jobs jobs_;
  KeyedMap<std::uint64_t, std::uint64_t> leases_;  // and their jobs
  KeyedMap<std::string, std::size_t> queueBytes_;  // of the queues that have jobs
};

}  // namespace stormo::channel
