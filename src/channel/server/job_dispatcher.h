#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/server/job_store.h"

namespace stormo::channel {

/// Receives the decisions of a JobDispatcher. Must not call back.
class JobSink {
 public:
  /// This consumer is to get that waiting job.
  virtual void hand(ConsumerId consumer, std::uint64_t number, std::string_view queue) = 0;

 protected:
  ~JobSink() = default;
};

/// Decides which consumer gets which job. A reservation entitles a consumer to one job of any queue
/// that it watches, and the longest-waiting consumer is next. Jobs without a reservation wait.
///
/// Knows jobs by their numbers; see JobStore. Uses no sockets and no clock. A queue without
/// watchers and jobs is removed.
class JobDispatcher {
 public:
  explicit JobDispatcher(JobSink& sink) : sink_(sink) {}

  void watch(ConsumerId consumer, std::string_view queue);
  /// A consumer that watches no queue loses its reservations.
  void unwatch(ConsumerId consumer, std::string_view queue);
  /// Reserves one more job for this consumer. No-op if it watches no queue.
  void reserve(ConsumerId consumer);
  /// The same, before all other consumers: its reservation was used for a job that it did not get.
  /// False if it watches no queue.
  bool reserveFirst(ConsumerId consumer);
  /// Removes the consumer and its reservations.
  void remove(ConsumerId consumer);

  /// A job waits, in the order of the numbers in its queue.
  void add(std::uint64_t number, std::string_view queue);
  /// A job does not wait any more: another node has handed it to a consumer. No-op if it did not.
  void taken(std::uint64_t number, std::string_view queue);

  [[nodiscard]] bool has(std::string_view queue) const {
    return queues_.find(queue) != queues_.end();
  }
  /// Queues with watchers or jobs that are not handed to a consumer.
  [[nodiscard]] std::size_t queueCount() const { return queues_.size(); }
  [[nodiscard]] std::size_t jobCount(std::string_view queue) const;

 private:
  static constexpr std::uint64_t kNoTicket = 0;

  /// A consumer's place in a queue's line. Stale after the consumer got another ticket or was
  /// removed.
  struct Waiting {
    ConsumerId consumer;
    std::uint64_t ticket;
  };
  struct Queue {
    std::string name;
    std::deque<std::uint64_t> jobs;              ///< Numbers, the lowest first.
    KeyedMap<ConsumerId, std::size_t> watchers;  ///< With this queue's index in Consumer::watched.
    std::deque<Waiting> line;
  };
  /// While a consumer has reservations, the queues that it watches hold no jobs.
  struct Consumer {
    std::uint64_t reservations = 0;
    std::uint64_t ticket = kNoTicket;
    std::vector<Queue*> watched;
    std::size_t nextQueue = 0;  // rotates, so that a busy queue does not starve the others
  };
  Queue& queueNamed(std::string_view name);
  void forgetIfIdle(Queue& queue);
  [[nodiscard]] Consumer* find(ConsumerId id);
  [[nodiscard]] bool handToWaiting(Queue& queue, std::uint64_t number);
  [[nodiscard]] bool takeWaitingJob(ConsumerId id, Consumer& consumer);
  void standInLine(ConsumerId id, Consumer& consumer);
  void standInLine(ConsumerId id, const Consumer& consumer, Queue& queue);
  void removeStale(Queue& queue);
  [[nodiscard]] bool isStale(const Waiting& waiting);
  void leave(ConsumerId id, Queue& queue);

  JobSink& sink_;
  KeyedMap<std::string, std::unique_ptr<Queue>> queues_;
  KeyedMap<ConsumerId, Consumer> consumers_;
  std::uint64_t lastTicket_ = 0;
};

}  // namespace stormo::channel
