#pragma once

#include <stormo/event_loop.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "channel/log/log.h"
#include "channel/log/log_directory.h"

namespace stormo::channel {

/// Decides when an open log needs a snapshot, and has it written in a forked process, so that the
/// loop does not wait. There is at most
/// one file: the next one replaces it.
class Snapshots {
 public:
  struct Limits {
    std::uint64_t segmentBytes = 0;
    std::uint64_t totalBytesMax = 0;  ///< Of the log and its snapshot.
  };
  Snapshots(LogDirectory& directory, const Limits& limits)
      : directory_(directory), limits_(limits) {}

  /// The snapshot that exists; 0 bytes if there is none.
  void adopt(std::uint64_t offset, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// True if so many bytes of log need a snapshot.
  [[nodiscard]] bool isDue(std::uint64_t logBytes) const;
  /// True if one may be tried now because the log cannot grow otherwise.
  [[nodiscard]] bool mayHelp(std::uint64_t offset) const;

  /// Begins to write the state after the record of this offset, unless one is being written.
  /// `onReplaced` is called in a later turn, once the snapshot is on disk under its name: then the
  /// log up to `offset` is not needed. It is not called after a failure, which is logged.
  void start(SavedState& state, std::uint64_t epoch, std::uint64_t offset, std::uint64_t logBytes,
             std::function<void(std::uint64_t offset)> onReplaced);

 private:
  struct Attempt {
    std::uint64_t offset = 0;
    std::uint64_t logBytes = 0;
    SavedState* state = nullptr;
    std::function<void(std::uint64_t offset)> onReplaced;
  };
  void onWritten(Result<std::uint64_t> bytes);
  void onDurable(std::uint64_t bytes, Result<void> synced);
  void fail(const Error& error);
  [[nodiscard]] std::uint64_t dueBytes() const;

  LogDirectory& directory_;
  const Limits limits_;
  std::uint64_t offset_ = 0;
  std::uint64_t bytes_ = 0;
  bool isRunning_ = false;
  Attempt attempt_;
  std::uint64_t retryAtLogBytes_ = 0;  // after a failure
  std::chrono::milliseconds pause_{0};
  EventLoop::TimePoint retryAt_{};
  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
};

}  // namespace stormo::channel
