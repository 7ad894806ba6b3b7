#include "channel/log/snapshots.h"

#include <algorithm>
#include <utility>

#include "channel/log/offset_name.h"
#include "channel/log/snapshot_file.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPauseMin = 1s;
constexpr std::chrono::milliseconds kPauseMax = 60s;

std::string temporaryName(std::uint64_t offset) {
  return snapshotName(offset) + std::string(kTemporaryEnding);
}

}  // namespace

void Snapshots::adopt(std::uint64_t offset, std::uint64_t bytes) {
  offset_ = offset;
  bytes_ = bytes;
}

// Half of what the total leaves for the log, so that it can grow while the snapshot is written.
std::uint64_t Snapshots::dueBytes() const {
  const std::uint64_t left = limits_.totalBytesMax - std::min(limits_.totalBytesMax, bytes_);
  return std::min(std::max(limits_.segmentBytes, bytes_), left / 2);
}

bool Snapshots::isDue(std::uint64_t logBytes) const {
  return !isRunning_ && logBytes > std::max(dueBytes(), retryAtLogBytes_);
}

bool Snapshots::mayHelp(std::uint64_t offset) const {
  return !isRunning_ && offset > offset_ && EventLoop::current().now() >= retryAt_;
}

void Snapshots::start(SavedState& state, std::uint64_t epoch, std::uint64_t offset,
                      std::uint64_t logBytes,
                      std::function<void(std::uint64_t offset)> onReplaced) {
  if (isRunning_ || offset == offset_) return;
  isRunning_ = true;
  attempt_ = {offset, logBytes, &state, std::move(onReplaced)};
  state.hold();
  directory_.writeApart(
      temporaryName(offset),
      [&state, epoch, offset](StateWriter& out) {
        writeSnapshotHeader(epoch, offset, out);
        state.save(out);
      },
      [this, alive = std::weak_ptr(lifetime_)](Result<std::uint64_t> bytes) {
        if (!alive.expired()) onWritten(bytes);
      });
}

void Snapshots::onWritten(Result<std::uint64_t> bytes) {
  attempt_.state->release();
  if (!bytes) return fail(bytes.error());
  const std::string temporary = temporaryName(attempt_.offset);
  if (const auto named = directory_.rename(temporary, snapshotName(attempt_.offset)); !named) {
    (void)directory_.remove(temporary);
    return fail(named.error());
  }
  directory_.syncLater({.files = {}, .directory = true},
                       [this, alive = std::weak_ptr(lifetime_), bytes](Result<void> synced) {
                         if (!alive.expired()) onDurable(bytes.value(), synced);
                       });
}

void Snapshots::onDurable(std::uint64_t bytes, Result<void> synced) {
  if (!synced) {
    (void)directory_.remove(snapshotName(attempt_.offset));
    return fail(synced.error());
  }
  if (bytes_ > 0) directory_.removeLater(snapshotName(offset_));
  isRunning_ = false;
  retryAtLogBytes_ = 0;
  pause_ = 0ms;
  retryAt_ = {};
  adopt(attempt_.offset, bytes);
  const auto onReplaced = std::exchange(attempt_.onReplaced, {});
  onReplaced(offset_);
}

void Snapshots::fail(const Error& error) {
  isRunning_ = false;
  pause_ = std::clamp(2 * pause_, kPauseMin, kPauseMax);
  retryAt_ = EventLoop::current().now() + pause_;
  retryAtLogBytes_ = attempt_.logBytes + limits_.segmentBytes;
  log::warning(
      "a snapshot of the log failed, trying again later directory=\"{}\" offset={} "
      "why=\"{}\"",
      directory_.path(), attempt_.offset, error.message());
}

}  // namespace stormo::channel
