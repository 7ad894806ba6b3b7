#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/fifo.h"
#include "base/keyed_hash.h"
#include "channel/server/channel_state.h"

namespace stormo::channel {

/// Decides whether a job may become a record: the jobs of a queue have at most `queueBytesMax`
/// bytes, and at most kQueuesMax queues have jobs. Counts the jobs of the state, and those whose
/// records the state has not applied yet. So neither the jobs of one turn nor those that wait for
/// the disk exceed a limit. A job that was resent counts twice until its second record is applied.
///
/// The limits are settings, so they are no part of the state: a record that was added is applied.
class JobAdmission {
 public:
  static constexpr std::size_t kQueuesMax = 100'000;

  /// `state` outlives this.
  JobAdmission(const ChannelState& state, std::size_t queueBytesMax)
      : state_(state), queueBytesMax_(queueBytesMax) {}

  /// Whether a job of `bytes` may be added to the queue. A full queue is logged, once until it has
  /// room again. `applied` as Journal::applied().
  [[nodiscard]] bool admits(std::string_view queue, std::size_t bytes, std::uint64_t applied);
  /// The job has become a record, the last of `count` as Journal::added().
  void added(std::string_view queue, std::size_t bytes, std::uint64_t count);

 private:
  using QueueBytes = KeyedMap<std::string, std::size_t>;
  struct Added {
    std::uint64_t count;  ///< It is applied when so many records are.
    std::size_t bytes;
    QueueBytes::value_type* queue;  ///< Its entry in addedBytes_.
  };

  [[nodiscard]] bool hasRoom(std::string_view queue, std::size_t bytes) const;
  /// Removes what the state has applied, and counts itself.
  void removeApplied(std::uint64_t applied);

  const ChannelState& state_;
  const std::size_t queueBytesMax_;
  Fifo<Added> added_;                // not applied yet
  QueueBytes addedBytes_;            // of these, by queue
  KeyedSet<std::string> rejecting_;  // the full queues that were logged
};

}  // namespace stormo::channel
