#include "channel/cluster/replica_snapshots.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "channel/log/mark.h"
#include "channel/log/offset_name.h"
#include "channel/log/snapshot_file.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

constexpr const char* kOfOneStep =
    "the directory has the log of a Channel without a cluster (channel.log-dir)";

}  // namespace

ReplicaSnapshots::ReplicaSnapshots(Stream& stream, LogDirectory& directory,
                                   const Snapshots::Limits& limits)
    : directory_(directory), snapshots_(directory, limits), peers_(stream, directory) {}

// Removes all others, and what a process has left that has died.
Result<void> ReplicaSnapshots::findOwn() {
  auto entries = directory_.list();
  if (!entries) return entries.error();
  std::ranges::sort(*entries, std::ranges::greater{}, &LogDirectory::Entry::name);
  if (std::ranges::find(*entries, kMarkName, &LogDirectory::Entry::name) != entries->end()) {
    return Error{std::make_error_code(std::errc::file_exists), kOfOneStep};
  }
  for (const auto& [name, bytes] : *entries) {
    const bool isSnapshot = offsetOfSnapshotName(name).has_value();
    if (isSnapshot && !own_) {
      const auto content = directory_.read(name);
      if (!content) return content.error();
      own_ = describeSnapshot(content.value().bytes());
      if (own_) continue;
      log::warning("a snapshot is damaged, and is not used directory=\"{}\" name={}",
                   directory_.path(), name);
    }
    if (!isSnapshot && !name.ends_with(kTemporaryEnding)) continue;
    if (const auto removed = directory_.remove(name); !removed) return removed;
  }
  return {};
}

void ReplicaSnapshots::load(NodeId self, const StreamInfo& info, Replica& replica,
                            std::function<void(Loaded)> onLoaded) {
  self_ = self;
  info_ = info;
  loading_ = &replica;
  onLoaded_ = std::move(onLoaded);
  if (own_ && restoreOwn(info)) {
    snapshots_.adopt(own_->sequence, own_->bytes);
    peers_.offer(self, *own_);
    return std::exchange(onLoaded_, {})(Loaded::Own);
  }
  if (info.first == 1) return std::exchange(onLoaded_, {})(Loaded::Nothing);
  if (since_ == EventLoop::TimePoint{}) {
    since_ = EventLoop::current().now();
    log::info("waiting for a snapshot of another node first={}", info.first);
  }
  fetch();
}

bool ReplicaSnapshots::restoreOwn(const StreamInfo& info) {
  const bool reaches =
      own_->stream == info.epoch && own_->sequence <= info.last && own_->sequence + 1 >= info.first;
  const auto file = directory_.read(snapshotName(own_->sequence));
  if (reaches && file && restore(file.value().bytes())) return true;
  if (own_->stream != info.epoch) {
    log::warning("the cluster's stream is another one than before, and a new epoch begins");
  }
  discardOwn();
  return false;
}

void ReplicaSnapshots::discardOwn() {
  directory_.removeLater(snapshotName(own_->sequence));
  own_.reset();
}

void ReplicaSnapshots::discardAfter(std::uint64_t sequence) {
  if (own_ && own_->sequence > sequence) discardOwn();
}

bool ReplicaSnapshots::restore(std::string_view file) {
  const auto snapshot = readSnapshot(file);
  if (!snapshot) return false;
  StateReader reader(snapshot->state);
  if (loading_->restore(reader)) return true;
  log::warning("a snapshot is of another version, and is not used sequence={}", snapshot->offset);
  return false;
}

void ReplicaSnapshots::fetch() {
  peers_.fetch(self_, info_.epoch, info_.first - 1, [this](const std::string& file) {
    if (!restore(file)) return fetch();
    log::info("took the snapshot of another node sequence={} bytes={}", loading_->sequence(),
              file.size());
    std::exchange(onLoaded_, {})(Loaded::OfPeer);
  });
}

void ReplicaSnapshots::onTick(EventLoop::TimePoint now) {
  if (!onLoaded_) return;
  if (now >= since_ + kNobodyAfter && !peers_.hasSource()) {
    peers_.stopFetching();
    return std::exchange(onLoaded_, {})(Loaded::Nowhere);
  }
  peers_.onTick(now);
}

void ReplicaSnapshots::onQuestion(std::string_view asker, std::string_view question,
                                  Replica* replica) {
  const std::optional<std::uint64_t> needed = peers_.onQuestion(asker, question);
  if (needed && replica != nullptr && replica->sequence() >= *needed) write(*replica);
}

void ReplicaSnapshots::writeIfDue(Replica& replica) {
  if (snapshots_.isDue(uncoveredBytes_)) write(replica);
}

void ReplicaSnapshots::write(Replica& replica) {
  const auto onReplaced = [this, stream = replica.stream(),
                           covered = uncoveredBytes_](std::uint64_t sequence) {
    uncoveredBytes_ -= covered;
    own_ = {.stream = stream, .sequence = sequence, .bytes = snapshots_.bytes()};
    peers_.offer(self_, *own_);
  };
  snapshots_.start(replica, replica.stream(), replica.sequence(), uncoveredBytes_, onReplaced);
}

}  // namespace stormo::channel
