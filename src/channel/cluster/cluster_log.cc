#include "channel/cluster/cluster_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "channel/cluster/node_identity.h"
#include "channel/log/offset_name.h"
#include "channel/log/snapshot_file.h"
#include "event/loop_impl.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr EventLoop::Duration kTick = 100ms;
constexpr EventLoop::Duration kStartAgain = 1s;
/// What has not come back is sent again after this time, then after twice of it, and so on.
constexpr EventLoop::Duration kAgainMin = 2s;
constexpr EventLoop::Duration kAgainMax = 16s;
constexpr EventLoop::Duration kRefusedPause = 200ms;
constexpr EventLoop::Duration kFinishMax = 5s;
constexpr int kSignsPerGone = 5;

// The counter in the upper half makes a later incarnation greater; the rest tells two processes
// apart that take the same counter.
std::uint64_t incarnationAfter(const Nodes::Node* node) {
  const std::uint64_t counter = node == nullptr ? 0 : node->incarnation >> 32;
  return ((counter + 1) << 32) | (randomId() >> 32);
}

}  // namespace

ClusterLog::ClusterLog(std::unique_ptr<Stream> stream, LogDirectory& directory,
                       ClusterLogSettings settings)
    : stream_(std::move(stream)),
      directory_(directory),
      settings_(std::move(settings)),
      snapshots_(directory, {.segmentBytes = settings_.snapshotBytes,
                             .totalBytesMax = settings_.totalBytesMax}),
      peers_(*stream_, directory) {
  outbox_.send = [this](std::string id, std::string message) {
    stream_->publish(std::move(id), std::move(message));
  };
  peers_.onNeeded = [this](std::uint64_t sequence) {
    if (phase_ == Phase::Open && replica_->sequence() >= sequence) startSnapshot();
  };
}

ClusterLog::~ClusterLog() {
  if (EventLoop::currentOrNull() != nullptr && tick_ != 0) Timer::cancel(tick_);
}

// --- The way in ---

Result<void> ClusterLog::open(LogState& state, std::function<void()> onOpened) {
  STORMO_ASSERT(state_ == nullptr);
  const auto id = nodeIdentity(directory_);
  if (!id) return id.error();
  id_ = id.value();
  if (const auto found = findOwnSnapshot(); !found) return found;
  state_ = &state;
  replica_.emplace(state);
  onOpened_ = std::move(onOpened);
  counters_ = &LoopImpl::current().counters().channelLog;
  counters_->blocked.set(1);
  openedAt_ = EventLoop::current().now();
  tick_ = Timer::add(kTick, [this] { onTick(); });
  stream_->open(*this);
  return {};
}

// Removes all others, and what a process has left that has died.
Result<void> ClusterLog::findOwnSnapshot() {
  auto entries = directory_.list();
  if (!entries) return entries.error();
  std::ranges::sort(*entries, std::ranges::greater{}, &LogDirectory::Entry::name);
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

void ClusterLog::onConnected(const StreamInfo& info) {
  info_ = info;
  isConnected_ = true;
  log::info("connected to the cluster's stream node={} first={} last={}", settings_.node,
            info.first, info.last);
  switch (phase_) {
    case Phase::Connecting:
    case Phase::Fetching:
      choose(info);
      break;
    case Phase::Reading:
    case Phase::Starting:
    case Phase::Open:
      readOn();
      break;
    case Phase::Broken:
      break;
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

// Own snapshot and what follows, all that there ever was, or another node's snapshot.
void ClusterLog::choose(const StreamInfo& info) {
  if (own_) {
    const bool reaches = own_->epoch == info.epoch && own_->sequence <= info.last &&
                         own_->sequence + 1 >= info.first;
    const auto file = directory_.read(snapshotName(own_->sequence));
    if (reaches && file && restore(file.value().bytes())) {
      snapshots_.adopt(own_->sequence, own_->bytes);
      peers_.offer(id_, *own_);
      return startReading();
    }
    if (own_->epoch != info.epoch) {
      log::warning("the cluster's stream is another one than before: a new epoch begins node={}",
                   settings_.node);
    }
    directory_.removeLater(snapshotName(own_->sequence));
    own_.reset();
  }
  if (info.first == 1) return startReading();
  phase_ = Phase::Fetching;
  log::info("waiting for a snapshot of another node node={} first={}", settings_.node, info.first);
  fetchSnapshot();
}

bool ClusterLog::restore(std::string_view file) {
  const auto snapshot = readSnapshot(file);
  if (!snapshot) return false;
  StateReader reader(snapshot->state);
  if (replica_->restore(reader)) return true;
  log::warning("a snapshot is of another version, and is not used node={} sequence={}",
               settings_.node, snapshot->offset);
  return false;
}

void ClusterLog::fetchSnapshot() {
  peers_.fetch(id_, info_.epoch, info_.first - 1, [this](const std::string& file) {
    if (!restore(file)) return fetchSnapshot();
    log::info("took the snapshot of another node node={} sequence={} bytes={}", settings_.node,
              replica_->sequence(), file.size());
    startReading();
  });
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
  if (info_.epoch != replica_->epoch()) return breakOff("the stream was created anew", true);
  if (info_.last + 1 < next_) return breakOff("the stream has lost messages", true);
  if (misses(info_.first)) {
    return breakOff("the stream does not have any more what this node has missed", true);
  }
  stream_->readFrom(next_);
  if (phase_ == Phase::Starting) sendStart();
  if (phase_ == Phase::Open) outbox_.sendAgain();
  if (phase_ == Phase::Reading && replica_->sequence() >= info_.last) start();
}

// --- Taking part ---

void ClusterLog::start() {
  incarnation_ = incarnationAfter(replica_->nodes().find(id_));
  phase_ = Phase::Starting;
  outbox_.hold();
  sendStart();
}

void ClusterLog::sendStart() {
  startSentAt_ = EventLoop::current().now();
  stream_->publish(fmt::format("{:x}-{:x}-start-{:x}", id_, incarnation_, randomId()),
                   encodeBatch({.kind = BatchKind::Start,
                                .node = id_,
                                .incarnation = incarnation_,
                                .body = settings_.node}));
}

void ClusterLog::onMessage(std::uint64_t sequence, std::string_view message) {
  const bool isReading =
      phase_ == Phase::Reading || phase_ == Phase::Starting || phase_ == Phase::Open;
  if (!isReading || sequence < next_) return;
  if (misses(sequence)) {
    return breakOff("the stream does not have any more what this node has missed", true);
  }
  const Replica::Taken taken = replica_->take(sequence, message);
  next_ = sequence + 1;
  isFirst_ = false;
  if (taken.read.verdict == BatchVerdict::Newer) {
    return breakOff(fmt::format("node {} has a later version, whose messages this one does not "
                                "know: upgrade this node",
                                replica_->nodes().nameOf(taken.read.batch.node)),
                    false);
  }
  if (!taken.isRecalled) {
    uncoveredBytes_ += message.size();
    if (taken.read.verdict == BatchVerdict::Ok) {
      const Batch& batch = taken.read.batch;
      heardAt_[batch.node] = EventLoop::current().now();
      if (batch.kind == BatchKind::Gone) onGone(goneIn(batch.body), sequence);
      if (batch.node == id_) onOwn(taken);
    }
  }
  if (phase_ == Phase::Reading && replica_->sequence() >= info_.last) start();
  if (phase_ == Phase::Open && snapshots_.isDue(uncoveredBytes_)) startSnapshot();
  countState();
}

void ClusterLog::onOwn(const Replica::Taken& taken) {
  const Batch& batch = taken.read.batch;
  const bool counts = taken.verdict == Nodes::Verdict::Counts;
  if (batch.kind == BatchKind::Start) {
    if (counts) onStart(batch);
    return;
  }
  if (phase_ != Phase::Open || batch.incarnation != incarnation_) return;
  if (counts) {
    appliedCount_ += outbox_.remove(batch.number);
    isStalled_ = false;
    againPause_ = kAgainMin;
    againAt_ = EventLoop::current().now() + againPause_;
    outbox_.flush();
    return continueFinish();
  }
  // A batch has overtaken one that was lost.
  const bool isNews = batch.round == outbox_.round();
  if (taken.verdict == Nodes::Verdict::Early && isNews) outbox_.sendAgain(true);
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
  againPause_ = kAgainMin;
  againAt_ = EventLoop::current().now() + againPause_;
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

// --- Publishing ---

void ClusterLog::append(std::string_view records, std::uint64_t count) {
  STORMO_ASSERT(!onOpened_ && count > 0);
  if (onFinished_) return;
  const EventLoop::TimePoint now = EventLoop::current().now();
  if (outbox_.isEmpty()) againAt_ = now + againPause_;
  outbox_.add(records, count);
  outbox_.flush();
  sentAt_ = now;
}

bool ClusterLog::isBlocked() const { return phase_ != Phase::Open || !isConnected_ || isStalled_; }

std::string ClusterLog::whyBlocked() const {
  if (phase_ == Phase::Broken) return reason_;
  if (!isConnected_) return reason_.empty() ? "no connection to the cluster's stream" : reason_;
  switch (phase_) {
    case Phase::Fetching:
      return "no other node has sent a snapshot yet";
    case Phase::Open:
      return isStalled_ ? reason_ : std::string();
    default:
      return "this node reads what the cluster has had";
  }
}

std::vector<ClusterLog::NodeStatus> ClusterLog::nodes() const {
  const EventLoop::TimePoint now = EventLoop::current().now();
  std::vector<NodeStatus> all;
  if (!replica_) return all;
  for (const auto& [id, node] : replica_->nodes().table()) {
    const auto heard = heardAt_.find(id);
    const auto since = heard == heardAt_.end() ? openedAt_ : heard->second;
    all.push_back({.id = id,
                   .name = node.name,
                   .isSelf = id == id_,
                   .isGone = node.goneSince != 0,
                   .silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - since)});
  }
  if (replica_->nodes().find(id_) == nullptr) {
    all.push_back(
        {.id = id_,
         .name = settings_.node,
         .isSelf = true,
         .silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - openedAt_)});
  }
  std::ranges::sort(all, {}, &NodeStatus::name);
  return all;
}

void ClusterLog::onRefused(std::string_view reason) {
  if (!isStalled_) {
    log::warning("the cluster's stream has refused a message, sending it again node={} why=\"{}\"",
                 settings_.node, reason);
  }
  isStalled_ = true;
  reason_ = reason;
  againAt_ = std::min(againAt_, EventLoop::current().now() + kRefusedPause);
  countState();
}

void ClusterLog::finish(std::function<void()> onDone) {
  onFinished_ = std::move(onDone);
  finishBy_ = EventLoop::current().now() + kFinishMax;
  continueFinish();
}

void ClusterLog::continueFinish() {
  if (!onFinished_) return;
  const bool isLate = EventLoop::current().now() >= finishBy_;
  const bool mayCome = phase_ == Phase::Open || phase_ == Phase::Starting;
  if (!outbox_.isEmpty() && mayCome && !isLate) return;
  if (!outbox_.isEmpty()) {
    log::error("the cluster's stream has not taken the last messages node={} bytes={}",
               settings_.node, outbox_.bytes());
  }
  std::exchange(onFinished_, {})();
}

// --- Time ---

void ClusterLog::onTick() {
  const EventLoop::TimePoint now = EventLoop::current().now();
  continueFinish();
  if (!isConnected_) return;
  if (phase_ == Phase::Fetching) peers_.onTick(now);
  if (phase_ == Phase::Starting && now >= startSentAt_ + kStartAgain) sendStart();
  if (phase_ != Phase::Open) return;
  sendAgainIfDue(now);
  sendSignOfLife(now);
  declareGone(now);
}

void ClusterLog::sendAgainIfDue(EventLoop::TimePoint now) {
  if (outbox_.isEmpty() || now < againAt_) return;
  if (!std::exchange(isStalled_, true)) {
    reason_ = "messages do not come back from the cluster's stream";
    log::warning("messages do not come back from the cluster's stream, sending them again node={}",
                 settings_.node);
  }
  againPause_ = std::min(2 * againPause_, kAgainMax);
  againAt_ = now + againPause_;
  outbox_.sendAgain();
  countState();
}

void ClusterLog::sendSignOfLife(EventLoop::TimePoint now) {
  if (!outbox_.isEmpty() || now < sentAt_ + settings_.goneAfter / kSignsPerGone) return;
  sentAt_ = now;
  againAt_ = now + againPause_;
  outbox_.add(BatchKind::Records);
  outbox_.flush();
}

// Only if this node's own messages come back: else it is the one that is away, or behind.
void ClusterLog::declareGone(EventLoop::TimePoint now) {
  if (now > heardAt_[id_] + settings_.goneAfter / 2) return;
  for (const auto& [id, node] : replica_->nodes().table()) {
    if (id == id_ || node.goneSince != 0) continue;
    const auto heard = heardAt_.try_emplace(id, now).first;
    if (now < heard->second + settings_.goneAfter) continue;
    heard->second = now;
    outbox_.add(BatchKind::Gone, encodeGone({id, node.incarnation, node.number}));
    outbox_.flush();
  }
}

void ClusterLog::startSnapshot() {
  const std::uint64_t sequence = replica_->sequence();
  const auto onReplaced = [this, covered = uncoveredBytes_](std::uint64_t replaced) {
    uncoveredBytes_ -= covered;
    own_ = {.epoch = replica_->epoch(), .sequence = replaced, .bytes = snapshots_.bytes()};
    peers_.offer(id_, *own_);
    countState();
  };
  snapshots_.start(*replica_, replica_->epoch(), sequence, uncoveredBytes_, onReplaced);
}

void ClusterLog::countState() {
  counters_->blocked.set(isBlocked() ? 1 : 0);
  counters_->lastOffset.set(replica_->offset());
  counters_->bytes.set(snapshots_.bytes());
}

}  // namespace stormo::channel
