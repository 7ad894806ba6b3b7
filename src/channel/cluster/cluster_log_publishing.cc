// How a node publishes, and what it does as time passes.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "channel/cluster/cluster_log.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr EventLoop::Duration kAnnounceAgain = 1s;
/// What has not come back is sent again after this time, then after twice of it, and so on.
constexpr EventLoop::Duration kAgainMin = 2s;
constexpr EventLoop::Duration kAgainMax = 16s;
constexpr EventLoop::Duration kRefusedPause = 200ms;
// Less than a stop waits for before it kills.
constexpr EventLoop::Duration kFinishMax = 4s;
constexpr int kSignsPerGone = 5;

}  // namespace

void ClusterLog::append(std::string_view records, std::uint64_t count) {
  STORMO_ASSERT(!onOpened_ && count > 0);
  if (onFinished_) return;
  const EventLoop::TimePoint now = EventLoop::current().now();
  if (outbox_.isEmpty()) againAt_ = now + againPause_;
  outbox_.add(records, count);
  outbox_.flush();
  sentAt_ = now;
}

void ClusterLog::waitForAnswer() {
  isStalled_ = false;
  againPause_ = kAgainMin;
  againAt_ = EventLoop::current().now() + againPause_;
}

void ClusterLog::onOwn(const Batch& batch, Nodes::Verdict verdict) {
  if (verdict == Nodes::Verdict::Counts) {
    appliedCount_ += outbox_.remove(batch.number);
    waitForAnswer();
    outbox_.flush();
    return continueFinish();
  }
  // A batch has overtaken one that was lost.
  const bool isNews = batch.round == outbox_.round();
  if (verdict == Nodes::Verdict::Early && isNews) outbox_.sendAgain(true);
}

void ClusterLog::onRefused(std::string_view reason) {
  if (!std::exchange(isStalled_, true)) {
    log::warning("the cluster's stream has refused a message, sending it again node={} why=\"{}\"",
                 settings_.node, reason);
  }
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
  if (phase_ == Phase::Loading) snapshots_.onTick(now);
  if (now >= announcedAt_ + kAnnounceAgain) {
    if (phase_ == Phase::Starting) sendStart();
    if (phase_ == Phase::Renewing) sendEpoch(epochBegin_);
  }
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

void ClusterLog::declareGone(EventLoop::TimePoint now) {
  for (const GoneNode& gone : watch_.silent(replica_->nodes(), id_, now)) {
    outbox_.add(BatchKind::Gone, encodeGone(gone));
    outbox_.flush();
  }
}

// --- Its state, for people ---

bool ClusterLog::isBlocked() const { return phase_ != Phase::Open || !isConnected_ || isStalled_; }

std::string ClusterLog::whyBlocked() const {
  if (phase_ == Phase::Broken) return reason_;
  if (!isConnected_) return reason_.empty() ? "no connection to the cluster's stream" : reason_;
  switch (phase_) {
    case Phase::Loading:
      return "no other node has sent a snapshot yet";
    case Phase::Renewing:
      return "a new epoch begins";
    case Phase::Open:
      return isStalled_ ? reason_ : std::string();
    default:
      return "this node reads what the cluster has had";
  }
}

std::vector<ClusterLog::NodeStatus> ClusterLog::nodes() {
  const EventLoop::TimePoint now = EventLoop::current().now();
  std::vector<NodeStatus> all;
  if (!replica_) return all;
  const auto add = [&](NodeId id, const std::string& name, bool isGone) {
    const auto silence = now - watch_.heardAt(id, now);
    all.push_back({.id = id,
                   .name = name,
                   .isSelf = id == id_,
                   .isGone = isGone,
                   .silence = std::chrono::duration_cast<std::chrono::milliseconds>(silence)});
  };
  for (const auto& [id, node] : replica_->nodes().table()) {
    add(id, node.name, node.goneSince != 0);
  }
  if (replica_->nodes().find(id_) == nullptr) add(id_, settings_.node, false);
  std::ranges::sort(all, {}, &NodeStatus::name);
  return all;
}

void ClusterLog::countState() {
  counters_->blocked.set(isBlocked() ? 1 : 0);
  counters_->lastOffset.set(replica_->offset());
  counters_->bytes.set(snapshots_.bytes());
}

}  // namespace stormo::channel
