#pragma once

#include <stormo/channel/log_settings.h>
#include <stormo/event_loop.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "channel/log/log.h"
#include "channel/log/log_directory.h"
#include "channel/log/mark.h"
#include "channel/log/recovery.h"
#include "channel/log/segment_files.h"
#include "channel/log/snapshots.h"

namespace stormo::channel {

/// A log in the files of a directory, described in docs/log-format.md. It survives its process;
/// over a power failure it keeps what its SyncPolicy promises.
///
/// With SyncPolicy::Always records are applied when they are on disk, many turns' together; else
/// within append(), unless the log is blocked.
class FileLog final : public Log {
 public:
  /// The directory outlives this log, which must be the only one in it. Used on one loop.
  FileLog(LogDirectory& directory, const LogSettings& settings);
  ~FileLog() override;

  /// Also fails if the directory cannot be written. What is discarded, and why a new epoch begins
  /// on an existing log, is logged.
  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override;
  /// Must not be called in LogState::apply(). After finish() it drops the records, as if the
  /// process had ended before.
  void append(std::string_view records, std::uint64_t count) override;
  [[nodiscard]] std::uint64_t appliedCount() const override { return offset_ - recovered_; }
  [[nodiscard]] std::size_t waitingBytes() const override { return waitingBytes_; }
  [[nodiscard]] bool isBlocked() const override { return isBlocked_; }
  /// Waits until what is waiting is written. If the disk fails, `onDone` is called nevertheless,
  /// and the failure is logged.
  void finish(std::function<void()> onDone) override;

  /// Of segments and snapshot, for status reports.
  [[nodiscard]] std::uint64_t totalBytes() const {
    return segments_.totalBytes() + snapshots_.bytes();
  }

 private:
  /// Records that were appended together, or while the log was blocked, and were not applied.
  struct Batch {
    std::string records;
    std::uint64_t count = 0;
    std::size_t written = 0;
    SegmentFiles::End end = {};  // once all is written
  };

  [[nodiscard]] bool isAlways() const { return settings_.sync == SyncPolicy::Always; }
  Result<void> openFiles(const Recovered& found);
  Result<void> syncRecovered(const Recovered& found);
  Result<void> beginSegment();

  void wait(std::string_view records, std::uint64_t count, std::size_t written);
  Result<void> write(std::string_view records, std::size_t& written);
  Result<void> makeRoom(std::size_t bytes);
  void writeWaiting();
  void applyWaiting(std::uint64_t upTo);
  void apply(std::string_view records, std::uint64_t count);

  void startSync();
  void onSynced(std::uint64_t upTo, const Result<void>& synced);
  void onSyncFailed(std::uint64_t upTo, const Error& error);
  void noteSynced(std::uint64_t upTo);
  Result<void> rewriteUncommitted();
  void snapshotIfDue();
  void startSnapshot();
  void continueFinish();

  void countSize();
  void block(const Error& error);
  void unblock();
  void retry();

  LogDirectory& directory_;
  const LogSettings settings_;
  SegmentFiles segments_;
  Snapshots snapshots_;
  std::optional<Mark> mark_;
  LogState* state_ = nullptr;
  LogCounters* counters_ = nullptr;  // of the process, from open() on
  BootId boot_{};
  std::uint64_t epoch_ = 0;
  std::uint64_t recovered_ = 0;  // of the last record that was recovered
  std::uint64_t offset_ = 0;     // of the last record applied
  std::uint64_t written_ = 0;    // of the last record written
  std::uint64_t synced_ = 0;     // all records up to this one are on disk, for certain
  bool isApplying_ = false;

  std::deque<Batch> waiting_;
  std::size_t writtenBatches_ = 0;  // of waiting_, from its front
  std::size_t waitingBytes_ = 0;
  std::string spare_;  // memory of an applied batch, for the next one

  bool isSyncing_ = false;
  bool mustRewrite_ = false;      // a sync failed: what was not committed may be lost on disk
  std::uint64_t failedUpTo_ = 0;  // not 0: a sync failed, which began when this was written
  std::function<void()> onFinished_;
  bool isFinishing_ = false;  // finish() was called

  bool isBlocked_ = false;
  EventLoop::TimePoint blockedSince_{};
  Timer::Id retryTimer_ = 0;
  Timer::Id intervalTimer_ = 0;
  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
};

}  // namespace stormo::channel
