#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

/// Records which participant of a simulation enqueued, received and finished which job, and checks
/// it.
class JobLedger {
 public:
  /// Returns the text of a new job. `sequence`: the number by which it will be acknowledged.
  std::string enqueue(std::size_t participant, std::size_t queue, std::uint64_t sequence);
  /// A participant gets the job of this text. `epoch` is that of its link.
  void receive(std::size_t participant, std::uint64_t epoch, std::string_view queue,
               std::string_view text);
  /// Its work is done. `sequence`: the number by which the report will be acknowledged.
  void finish(std::string_view text, std::uint64_t sequence);
  void giveBack(std::string_view text);
  /// The participant has ended; what it sent is acknowledged up to `sequence`.
  void end(std::size_t participant, std::uint64_t sequence);
  /// What was acknowledged to this one must be done at the end.
  void acknowledge(std::size_t participant, std::uint64_t sequence);
  /// All that was acknowledged so far is on disk.
  void noteDurable();
  /// What is not on disk may be lost, also if it was acknowledged: a job, and whose it is.
  void loseRecords();

  /// A description of all errors; empty if there are none. `isCalm`: no process has died, and no
  /// link was lost. The first queue has one consumer at a time.
  [[nodiscard]] std::string error(bool isCalm) const;
  [[nodiscard]] std::size_t doneCount() const;

 private:
  struct Job {
    std::size_t enqueuer = 0;
    std::size_t queue = 0;
    std::uint64_t sequence = 0;
    bool isAcknowledged = false;
    bool isDurable = false;
    bool mayBeLost = false;
    bool mayComeTwice = false;
    // Where it is, or was done, unless it may be handed out again.
    std::optional<std::size_t> holder = {};
    std::uint64_t epoch = 0;
    std::uint64_t finishSequence = 0;
    std::size_t received = 0;
    bool isDone = false;
  };

  std::vector<Job> jobs_;
  std::vector<std::size_t> order_;  // the jobs of the first queue as they were received
  std::string error_;
};

}  // namespace stormo::channel
