#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"

namespace stormo::channel {

using ConsumerId = std::uint64_t;

/// Receives the jobs.
class JobSink {
 public:
  /// Delivers one job to a consumer. Returns false if the consumer no longer exists: it is removed,
  /// and another one gets the job. Must not call back.
  virtual bool deliver(ConsumerId consumer, std::string_view queue, std::string_view data) = 0;
  /// Called when a queue starts to reject jobs; again only after it has accepted one.
  virtual void onQueueFull(std::string_view queue) = 0;

 protected:
  ~JobSink() = default;
};

/// Queues of jobs; each job goes to one consumer. A reservation entitles a consumer to one job of
/// any queue that it watches, and the longest-waiting consumer is next. Jobs without a reservation
/// wait, up to a limit per queue.
///
/// Uses no sockets and no clock. A queue without watchers and jobs is removed.
class JobQueues {
 public:
  /// Memory of a waiting job in addition to its bytes.
  static constexpr std::size_t kJobOverheadBytes = 64;

  /// `queueBytesMax`: limit for the waiting jobs of one queue, including their overhead.
  JobQueues(std::size_t queueBytesMax, JobSink& sink)
      : queueBytesMax_(queueBytesMax), sink_(sink) {}

  void watch(ConsumerId consumer, std::string_view queue);
  /// A consumer that watches no queue loses its reservations.
  void unwatch(ConsumerId consumer, std::string_view queue);
  /// Reserves one more job for this consumer. No-op if it watches no queue.
  void reserve(ConsumerId consumer);
  /// Removes the consumer and its reservations.
  void remove(ConsumerId consumer);

  /// Returns false, and drops the job, if the queue is full.
  [[nodiscard]] bool enqueue(std::string_view queue, std::string_view data);

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
    std::deque<std::string> jobs;
    std::size_t bytes = 0;
    KeyedMap<ConsumerId, std::size_t> watchers;  ///< With this queue's index in Consumer::watched.
    std::deque<Waiting> line;
    bool isInUse = false;  ///< Must not be removed now.
    bool refuses = false;  // rejects jobs, and has reported it
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
  [[nodiscard]] bool handToWaiting(Queue& queue, std::string_view data);
  [[nodiscard]] bool takeWaitingJob(ConsumerId id, Consumer& consumer);
  void standInLine(ConsumerId id, Consumer& consumer);
  void standInLine(ConsumerId id, const Consumer& consumer, Queue& queue);
  [[nodiscard]] bool isStale(const Waiting& waiting);
  void leave(ConsumerId id, Queue& queue);

  const std::size_t queueBytesMax_;
  JobSink& sink_;
  KeyedMap<std::string, std::unique_ptr<Queue>> queues_;
  KeyedMap<ConsumerId, Consumer> consumers_;
  std::uint64_t lastTicket_ = 0;
};

}  // namespace stormo::channel
