#include "channel/cluster/cluster_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "channel/cluster/node_identity.h"
#include "event/loop_impl.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using Loaded = ReplicaSnapshots::Loaded;

constexpr EventLoop::Duration kTick = 100ms;

// The counter in the upper half makes a later incarnation greater; the rest tells two processes
// apart that take the same counter.
std::uint64_t incarnationAfter(const Nodes::Node* node) {
  const std::uint64_t counter = node == nullptr ? 0 : node->incarnation >> 32;
  return ((counter + 1) << 32) | (randomId() >> 32);
}

bool isEpoch(const BatchRead& read) {
  return read.verdict == BatchVerdict::Ok && read.batch.kind == BatchKind::Epoch;
}

}  // namespace

ClusterLog::ClusterLog(std::unique_ptr<Stream> stream, LogDirectory& directory,
                       ClusterLogSettings settings)
    : stream_(std::move(stream)),
      settings_(std::move(settings)),
      directory_(directory),
      snapshots_(
          *stream_, directory,
          {.segmentBytes = settings_.snapshotBytes, .totalBytesMax = settings_.totalBytesMax}),
      watch_(settings_.goneAfter) {
  outbox_.send = [this](std::string id, std::string message) {
    stream_->publish(std::move(id), std::move(message));
  };
}

ClusterLog::~ClusterLog() {
  if (EventLoop::currentOrNull() != nullptr && tick_ != 0) Timer::cancel(tick_);
}

// --- The way in ---

Result<void> ClusterLog::open(LogState& state, std::function<void()> onOpened) {
  STORMO_ASSERT(!replica_);
  if (const auto found = snapshots_.findOwn(); !found) return found;
  const auto id = nodeIdentity(directory_);
  if (!id) return id.error();
  id_ = id.value();
  replica_.emplace(state);
  onOpened_ = std::move(onOpened);
  counters_ = &LoopImpl::current().counters().channelLog;
  counters_->blocked.set(1);
  tick_ = Timer::add(kTick, [this] { onTick(); });
  stream_->open(*this);
  return {};
}

void ClusterLog::onConnected(const StreamInfo& info) {
  info_ = info;
  isConnected_ = true;
  log::info("connected to the cluster's stream node={} first={} last={}", settings_.node,
            info.first, info.last);
  if (phase_ == Phase::Loading) {
    load();
  } else if (phase_ != Phase::Broken) {
    readOn();
  }
  countState();
}

void ClusterLog::onDisconnected(std::string_view reason) {
  isConnected_ = false;
  reason_ = reason;
  outbox_.hold();
  log::warning("the cluster's stream cannot be reached, trying again node={} why=\"{}\"",
               settings_.node, reason);
  countState();
}

void ClusterLog::load() {
  snapshots_.load(id_, info_, *replica_, [this](Loaded loaded) { onLoaded(loaded); });
}

void ClusterLog::onLoaded(Loaded loaded) {
  if (loaded != Loaded::Nowhere) return startReading();
  log::error(
      "the stream does not reach back, and no other node has a snapshot: the cluster begins anew, "
      "without what it had node={} first={}",
      settings_.node, info_.first);
  replica_->begin(info_.epoch);
  replica_->skipTo(info_.last);
  next_ = info_.last + 1;
  phase_ = Phase::Renewing;
  stream_->readFrom(next_);
  sendEpoch(EpochBegin::Empty);
}

void ClusterLog::startReading() {
  replica_->begin(info_.epoch);
  next_ = std::max(replica_->readFrom(), info_.first);
  isFirst_ = true;
  phase_ = Phase::Reading;
  stream_->readFrom(next_);
  if (replica_->sequence() >= info_.last) start();
}

// Of what is read once more, the beginning may be lost.
bool ClusterLog::misses(std::uint64_t sequence) const {
  const bool isBeginning = isFirst_ && sequence <= replica_->sequence() + 1;
  return sequence > next_ && !isBeginning;
}

// After a connection was lost.
void ClusterLog::readOn() {
  if (info_.epoch != replica_->stream()) return breakOff("the stream was created anew", true);
  if (phase_ == Phase::Renewing) {
    next_ = std::min(next_, info_.last + 1);
    stream_->readFrom(next_);
    return sendEpoch(epochBegin_);
  }
  const std::uint64_t latest = replica_->sequence();
  if (info_.last < latest) return onLost();
  const bool canCompare = latest > 0 && latest >= info_.first;
  if (canCompare && next_ == latest + 1) next_ = latest;
  if (misses(info_.first)) return onMissed();
  stream_->readFrom(next_);
  if (phase_ == Phase::Reading && latest >= info_.last) start();
  if (phase_ == Phase::Starting) sendStart();
  if (phase_ == Phase::Open) outbox_.sendAgain();
}

void ClusterLog::onMissed() {
  breakOff("the stream does not have any more what this node has missed", true);
}

// The state has messages that the stream has not. So all nodes begin a new epoch, from the state
// that the stream still makes.
void ClusterLog::onLost() {
  log::error("the stream has lost messages, and a new epoch begins node={} read={} last={}",
             settings_.node, replica_->sequence(), info_.last);
  const std::uint64_t kept = std::min(info_.last, replica_->sequence() - 1);
  snapshots_.discardAfter(kept);
  phase_ = Phase::Renewing;
  outbox_.hold();
  next_ = kept + 1;
  stream_->readFrom(next_);
  sendEpoch(EpochBegin::Keeps);
}

// --- Taking part ---

void ClusterLog::start() {
  incarnation_ = incarnationAfter(replica_->nodes().find(id_));
  phase_ = Phase::Starting;
  outbox_.hold();
  sendStart();
}

void ClusterLog::sendStart() {
  announcedAt_ = EventLoop::current().now();
  stream_->publish(fmt::format("{:x}-{:x}-start-{:x}", id_, incarnation_, randomId()),
                   encodeBatch({.kind = BatchKind::Start,
                                .node = id_,
                                .incarnation = incarnation_,
                                .body = settings_.node}));
}

void ClusterLog::sendEpoch(EpochBegin begin) {
  announcedAt_ = EventLoop::current().now();
  epochBegin_ = begin;
  const char body = static_cast<char>(begin);
  stream_->publish(fmt::format("{:x}-epoch-{:x}", id_, randomId()),
                   encodeBatch({.kind = BatchKind::Epoch, .node = id_, .body = {&body, 1}}));
}

// --- Messages ---

void ClusterLog::onMessage(std::uint64_t sequence, std::string_view message) {
  if (phase_ == Phase::Loading || phase_ == Phase::Broken || sequence < next_) return;
  if (phase_ == Phase::Renewing) return onWhileRenewing(sequence, message);
  if (misses(sequence)) return onMissed();
  next_ = sequence + 1;
  isFirst_ = false;
  if (sequence == replica_->sequence()) {
    if (!replica_->isLatest(message)) return onLost();
    if (sequence > replica_->restored()) return;
  }
  const BatchRead read = readBatch(message);
  const bool isNew = sequence > replica_->sequence();
  if (isNew && !onOpened_ && isEpoch(read)) return breakOff("a new epoch has begun", true);
  const Replica::Taken taken = replica_->take(sequence, message, read);
  if (taken.isRecalled) return;
  snapshots_.count(message.size());
  onTaken(taken, sequence);
  if (phase_ == Phase::Reading && replica_->sequence() >= info_.last) start();
  if (phase_ == Phase::Open) snapshots_.writeIfDue(*replica_);
  countState();
}

void ClusterLog::onWhileRenewing(std::uint64_t sequence, std::string_view message) {
  next_ = sequence + 1;
  const BatchRead read = readBatch(message);
  if (epochBegin_ == EpochBegin::Keeps) {
    if (isEpoch(read)) breakOff("a new epoch has begun", true);
    return;
  }
  if (!isEpoch(read)) return replica_->skipTo(sequence);
  (void)replica_->take(sequence, message, read);
  start();
}

void ClusterLog::onTaken(const Replica::Taken& taken, std::uint64_t sequence) {
  if (taken.read.verdict == BatchVerdict::Newer) {
    return breakOff(fmt::format("node {} has a later version, whose messages this one does not "
                                "know: upgrade this node",
                                replica_->nodes().nameOf(taken.read.batch.node)),
                    false);
  }
  if (taken.read.verdict != BatchVerdict::Ok) return;
  const Batch& batch = taken.read.batch;
  watch_.hear(batch.node, EventLoop::current().now());
  if (batch.kind == BatchKind::Gone) onGone(goneIn(batch.body), sequence);
  if (batch.node != id_) return;
  const bool counts = taken.verdict == Nodes::Verdict::Counts;
  if (batch.kind == BatchKind::Start) {
    if (counts) onStart(batch);
  } else if (phase_ == Phase::Open && batch.incarnation == incarnation_) {
    onOwn(batch, taken.verdict);
  }
}

void ClusterLog::onStart(const Batch& batch) {
  if (phase_ == Phase::Reading) return;  // a process before this one
  if (batch.incarnation != incarnation_) {
    if (phase_ == Phase::Starting) return start();
    return breakOff(
        "another process takes part as this node: its directory is a copy, or is used twice",
        false);
  }
  phase_ = Phase::Open;
  outbox_.begin(id_, incarnation_, info_.messageBytesMax);
  outbox_.sendAgain();
  waitForAnswer();
  if (!onOpened_) return;
  log::info("takes part in the cluster node={} nodes={} offset={}", settings_.node,
            replica_->nodes().table().size(), replica_->offset());
  std::exchange(onOpened_, {})();
}

void ClusterLog::onGone(const GoneNode& gone, std::uint64_t sequence) {
  if (!replica_->nodes().hasEnded(gone, sequence)) return;
  log::warning("a node of the cluster is gone node={}", replica_->nodes().nameOf(gone.node));
  if (gone.node != id_ || phase_ != Phase::Open) return;
  log::warning("this node was declared gone, as it had sent nothing for long: it takes part again");
  start();
}

void ClusterLog::breakOff(std::string_view why, bool canStartAgain) {
  phase_ = Phase::Broken;
  reason_ = why;
  outbox_.hold();
  log::error("this node takes no part in the cluster any more node={} why=\"{}\"", settings_.node,
             why);
  countState();
  if (canStartAgain) onBroken();
}

void ClusterLog::onQuestion(std::string_view asker, std::string_view question) {
  snapshots_.onQuestion(asker, question, phase_ == Phase::Open ? &*replica_ : nullptr);
}

}  // namespace stormo::channel
