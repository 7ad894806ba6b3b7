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

/// Where jobs go.
class JobSink {
 public:
  /// Hands one job to a consumer. False if the consumer is gone: it is removed, and another gets
  /// the job. Must not call back.
  virtual bool deliver(ConsumerId consumer, std::string_view queue, std::string_view data) = 0;
  /// This queue begins to refuse jobs. Called once for each time that it fills up.
  virtual void onQueueFull(std::string_view queue) = 0;

 protected:
  ~JobSink() = default;
};

/// Queues of jobs, each of which goes to one consumer. A reservation entitles a consumer to one job
/// of any queue that it watches; jobs that nobody has reserved wait, up to a bound for each queue.
/// Who has waited longest is next.
///
/// Knows no sockets and no clock. A queue with neither watchers nor jobs is forgotten.
class JobQueues {
 public:
  /// What a waiting job costs beside its bytes.
  static constexpr std::size_t kJobOverheadBytes = 64;

  /// `queueBytesMax`: of all jobs that wait in one queue, their overhead included.
  JobQueues(std::size_t queueBytesMax, JobSink& sink)
      : queueBytesMax_(queueBytesMax), sink_(sink) {}

  void watch(ConsumerId consumer, std::string_view queue);
  /// Who watches no queue any more has no reservations either.
  void unwatch(ConsumerId consumer, std::string_view queue);
  /// One more job for this consumer. No-op if it watches nothing.
  void reserve(ConsumerId consumer);
  /// The consumer is gone, and its reservations with it.
  void remove(ConsumerId consumer);

  /// False if the queue is full: the job was dropped.
  [[nodiscard]] bool enqueue(std::string_view queue, std::string_view data);

  [[nodiscard]] std::size_t queueCount() const { return queues_.size(); }
  [[nodiscard]] std::size_t jobCount(std::string_view queue) const;

 private:
  static constexpr std::uint64_t kNoTicket = 0;

  /// A place in a queue's line. Stale once the consumer has another ticket, or is gone.
  struct Waiting {
    ConsumerId consumer;
    std::uint64_t ticket;
  };
  struct Queue {
    std::string name;
    std::deque<std::string> jobs;
    std::size_t bytes = 0;
    KeyedMap<ConsumerId, std::size_t> watchers;  ///< And this queue's place in Consumer::watched.
    std::deque<Waiting> line;
    bool isInUse = false;  ///< Not to be forgotten now.
    bool refuses = false;  // and said so
  };
  /// While one has reservations, the queues that it watches hold no jobs.
  struct Consumer {
    std::uint64_t reservations = 0;
    std::uint64_t ticket = kNoTicket;
    std::vector<Queue*> watched;
    std::size_t nextQueue = 0;  // whose turn it is, so that a busy queue does not starve the others
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
