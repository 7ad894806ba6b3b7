#include "channel/log/file_log.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "channel/log/record.h"
#include "event/loop_impl.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kRetryInterval = 100ms;
// While the log is blocked, records of several turns are collected in batches of about this size.
constexpr std::size_t kBatchBytes = 1 << 20;

constexpr const char* kTotalStep = "the log has its maximum of bytes (channel.log-total-bytes)";

}  // namespace

FileLog::FileLog(LogDirectory& directory, const LogSettings& settings)
    : directory_(directory),
      settings_(settings),
      segments_(directory, settings.segmentBytes, settings.sync != SyncPolicy::Process),
      snapshots_(directory,
                 {.segmentBytes = settings.segmentBytes, .totalBytesMax = settings.totalBytesMax}) {
}

FileLog::~FileLog() {
  if (EventLoop::currentOrNull() == nullptr) return;
  Timer::cancel(retryTimer_);
  Timer::cancel(intervalTimer_);
}

Result<void> FileLog::open(LogState& state, std::function<void()> onOpened) {
  STORMO_ASSERT(state_ == nullptr);
  state_ = &state;
  auto recovered = Recovery(directory_, state).run();
  if (!recovered) return recovered.error();
  const Recovered& found = *recovered;
  boot_ = found.boot;
  recovered_ = offset_ = written_ = found.offset;
  const bool isNewEpoch = !found.newEpochReason.empty();
  epoch_ = isNewEpoch ? randomId() : found.epoch;
  if (isNewEpoch && !found.isEmpty) {
    log::warning("the log begins a new epoch directory=\"{}\" last_offset={} why=\"{}\"",
                 directory_.path(), offset_, found.newEpochReason);
  }
  if (const auto opened = openFiles(found); !opened) return opened;
  auto mark = Mark::create(
      directory_, {.epoch = epoch_, .boot = boot_, .policy = settings_.sync, .offset = offset_});
  if (!mark) return mark.error();
  mark_ = std::move(*mark);
  if (settings_.sync == SyncPolicy::Interval) {
    intervalTimer_ = Timer::add(settings_.interval, [this] { startSync(); });
  }
  state.begin(epoch_);
  counters_ = &LoopImpl::current().counters().channelLog;
  countSize();
  onOpened();
  return {};
}

Result<void> FileLog::openFiles(const Recovered& found) {
  snapshots_.adopt(found.snapshotOffset, found.snapshotBytes);
  for (const Recovered::Segment& segment : found.segments) {
    segments_.adopt(segment.first, segment.bytes, found.isSynced);
  }
  segments_.cover(found.snapshotOffset, state_->recallFrom());
  if (found.mustCopyFrom != 0) {
    if (const auto copied = segments_.copyFrom(found.mustCopyFrom); !copied) return copied;
  }
  const bool hasOwnEnd = !found.segments.empty() && found.segments.back().epoch == epoch_;
  if (hasOwnEnd) {
    if (const auto opened = segments_.openLast(); !opened) return opened;
  } else {
    // A segment of the last epoch may be there without records.
    if (const auto removed = segments_.removeUncommitted(offset_ + 1); !removed) return removed;
    if (const auto begun = beginSegment(); !begun) return begun;
  }
  // What was recovered counts as applied from now on.
  if (isAlways()) {
    if (const auto synced = syncRecovered(found); !synced) return synced;
  }
  if (isAlways() || found.isSynced) synced_ = offset_;
  return {};
}

Result<void> FileLog::syncRecovered(const Recovered& found) {
  const auto unsynced = segments_.takeUnsynced();
  if (!unsynced) return unsynced.error();
  if (found.hasMark && !unsynced.value().files.empty()) {
    const auto mark = directory_.open(kMarkName);
    if (!mark) return mark.error();
    if (const auto noted = noteSync(*mark.value(), 1); !noted) return noted;
  }
  for (const auto& file : unsynced.value().files) {
    if (const auto synced = file->sync(); !synced) return synced;
  }
  return directory_.sync();
}

Result<void> FileLog::beginSegment() {
  return segments_.begin(
      {.epoch = epoch_, .first = written_ + 1, .committed = offset_, .boot = boot_});
}

void FileLog::append(std::string_view records, std::uint64_t count) {
  STORMO_ASSERT(mark_ && !isApplying_ && count > 0);
  if (isFinishing_) return;
  if (isAlways() || isBlocked_ || !waiting_.empty()) {
    wait(records, count, 0);
    if (!isBlocked_) writeWaiting();
    return;
  }
  std::size_t written = 0;
  if (const auto done = write(records, written); !done) {
    wait(records, count, written);
    block(done.error());
    return;
  }
  written_ += count;
  apply(records, count);
  snapshotIfDue();
}

void FileLog::wait(std::string_view records, std::uint64_t count, std::size_t written) {
  waitingBytes_ += records.size();
  const bool joins = waiting_.size() > writtenBatches_ && waiting_.back().written == 0 &&
                     waiting_.back().records.size() < kBatchBytes;
  if (!joins) waiting_.push_back({.records = std::exchange(spare_, {}), .written = written});
  waiting_.back().records += records;
  waiting_.back().count += count;
}

// Writes from `written` on, and counts there what it has written, also on failure.
Result<void> FileLog::write(std::string_view records, std::size_t& written) {
  if (written == 0) {
    if (const auto room = makeRoom(records.size()); !room) return room;
  }
  while (written < records.size()) {
    const auto more = segments_.write(records.substr(written));
    if (!more) return more.error();
    written += more.value();
  }
  return {};
}

Result<void> FileLog::makeRoom(std::size_t bytes) {
  if (totalBytes() + bytes > settings_.totalBytesMax) segments_.removeCovered();
  if (totalBytes() + bytes > settings_.totalBytesMax) {
    if (snapshots_.mayHelp(offset_)) startSnapshot();
    return Error{std::make_error_code(std::errc::no_space_on_device), kTotalStep};
  }
  return segments_.hasRoom(bytes) ? Result<void>() : beginSegment();
}

void FileLog::writeWaiting() {
  for (; writtenBatches_ < waiting_.size(); ++writtenBatches_) {
    Batch& batch = waiting_[writtenBatches_];
    if (const auto done = write(batch.records, batch.written); !done) {
      block(done.error());
      break;
    }
    written_ += batch.count;
    batch.end = segments_.end();
  }
  if (isAlways()) {
    startSync();
  } else {
    applyWaiting(written_);
  }
  if (writtenBatches_ == waiting_.size() && !(isAlways() && failedUpTo_ != 0)) unblock();
  continueFinish();
}

void FileLog::applyWaiting(std::uint64_t upTo) {
  while (writtenBatches_ > 0 && offset_ + waiting_.front().count <= upTo) {
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    --writtenBatches_;
    waitingBytes_ -= batch.records.size();
    segments_.commit(batch.end);
    apply(batch.records, batch.count);
    spare_ = std::move(batch.records);
    spare_.clear();
  }
  snapshotIfDue();
}

void FileLog::apply(std::string_view records, std::uint64_t count) {
  const std::uint64_t first = offset_ + 1;
  offset_ += count;
  // First: whatever leaves this process, the mark shows that the log had come so far.
  mark_->setOffset(offset_);
  isApplying_ = true;
  state_->apply(first, records, node());
  isApplying_ = false;
  countSize();
}

void FileLog::countSize() {
  counters_->bytes.set(totalBytes());
  counters_->lastOffset.set(offset_);
}

void FileLog::startSync() {
  if (isSyncing_ || mustRewrite_ || !segments_.isUnsynced()) return;
  isSyncing_ = true;
  // Before: the process may end before it sees that the sync has failed.
  mark_->setSyncFrom(synced_ + 1);
  const std::uint64_t upTo = written_;
  auto request = segments_.takeUnsynced();
  if (!request) return onSynced(upTo, request.error());
  directory_.syncLater(std::move(*request),
                       [this, alive = std::weak_ptr(lifetime_), upTo](Result<void> synced) {
                         if (!alive.expired()) onSynced(upTo, synced);
                       });
}

void FileLog::onSynced(std::uint64_t upTo, const Result<void>& synced) {
  isSyncing_ = false;
  if (!synced) {
    onSyncFailed(upTo, synced.error());
  } else if (isAlways()) {
    noteSynced(upTo);
    applyWaiting(upTo);
    if (writtenBatches_ == waiting_.size()) unblock();
    // What was written meanwhile shares the next sync.
    if (writtenBatches_ > 0) startSync();
  } else if (failedUpTo_ == 0) {
    noteSynced(upTo);
  }
  continueFinish();
}

void FileLog::onSyncFailed(std::uint64_t upTo, const Error& error) {
  const bool isFirst = std::exchange(failedUpTo_, std::max<std::uint64_t>(upTo, 1)) == 0;
  if (isAlways()) {
    mustRewrite_ = true;
    block(error);
    return;
  }
  // What was applied is not here any more to be written once more, but the state has it.
  if (isFirst) {
    log::error(
        "until its next snapshot the log may lose records in a power failure "
        "directory=\"{}\" why=\"{}\"",
        directory_.path(), error.message());
  }
  if (snapshots_.mayHelp(offset_)) startSnapshot();
}

void FileLog::noteSynced(std::uint64_t upTo) {
  failedUpTo_ = 0;
  synced_ = upTo;
  mark_->setSyncFrom(isSyncing_ ? upTo + 1 : 0);
}

// The kernel may have dropped what it could not write, and a later sync would not report it. So
// what is not committed is written once more, to another file.
Result<void> FileLog::rewriteUncommitted() {
  written_ = offset_;
  writtenBatches_ = 0;
  for (Batch& batch : waiting_) batch.written = 0;
  if (const auto removed = segments_.removeUncommitted(offset_ + 1); !removed) return removed;
  if (const auto begun = beginSegment(); !begun) return begun;
  mustRewrite_ = false;
  return {};
}

void FileLog::snapshotIfDue() {
  if (snapshots_.isDue(segments_.uncoveredBytes())) startSnapshot();
}

void FileLog::startSnapshot() {
  // The snapshot covers whole segments. One with an incomplete write must first be completed.
  const bool isPartial = writtenBatches_ < waiting_.size() && waiting_[writtenBatches_].written > 0;
  if (!isPartial && !mustRewrite_ && segments_.hasRecords()) (void)beginSegment();
  const auto onReplaced = [this, recallFrom = state_->recallFrom()](std::uint64_t offset) {
    segments_.cover(offset, recallFrom);
    countSize();
    if (!isAlways() && failedUpTo_ != 0) {
      // The state had what the sync may have lost, if that was applied when the snapshot began.
      offset >= failedUpTo_ ? noteSynced(offset) : startSnapshot();
    }
    if (isBlocked_) retry();
  };
  snapshots_.start(*state_, epoch_, offset_, segments_.uncoveredBytes(), onReplaced);
}

void FileLog::finish(std::function<void()> onDone) {
  STORMO_ASSERT(mark_ && !isFinishing_);
  isFinishing_ = true;
  onFinished_ = std::move(onDone);
  Timer::cancel(intervalTimer_);
  continueFinish();
}

void FileLog::continueFinish() {
  if (!onFinished_ || isSyncing_ || !waiting_.empty()) return;
  if (segments_.isUnsynced() && failedUpTo_ == 0) return startSync();
  if (failedUpTo_ != 0) return std::exchange(onFinished_, {})();
  mark_->setClean();
  directory_.syncLater({.files = {mark_->file()}},
                       [this, alive = std::weak_ptr(lifetime_)](Result<void> synced) {
                         if (alive.expired()) return;
                         if (!synced) onSyncFailed(written_, synced.error());
                         std::exchange(onFinished_, {})();
                       });
  isSyncing_ = true;  // until the process ends
}

void FileLog::block(const Error& error) {
  if (isBlocked_) return;
  isBlocked_ = true;
  counters_->blocked.set(1);
  blockedSince_ = EventLoop::current().now();
  retryTimer_ = Timer::add(kRetryInterval, [this] { retry(); });
  log::error(
      "the log cannot be written, and nothing is acknowledged until it can "
      "directory=\"{}\" bytes={} why=\"{}\"",
      directory_.path(), totalBytes(), error.message());
}

void FileLog::unblock() {
  if (!isBlocked_) return;
  isBlocked_ = false;
  counters_->blocked.set(0);
  Timer::cancel(retryTimer_);
  const auto blocked = EventLoop::current().now() - blockedSince_;
  log::info("the log can be written again directory=\"{}\" blocked_ms={}", directory_.path(),
            std::chrono::duration_cast<std::chrono::milliseconds>(blocked).count());
}

void FileLog::retry() {
  if (isSyncing_) return;
  if (mustRewrite_ && !rewriteUncommitted()) return;
  writeWaiting();
}

}  // namespace stormo::channel
