#include "channel/client/link_bus.h"

#include <algorithm>

#include "event/call_handler.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "net/reactor.h"
#include "protocol/php/serialize.h"
#include "sys/log.h"
#include "sys/random_id.h"
#include "sys/sockets.h"

namespace stormo::channel {
namespace {

using std::chrono::milliseconds;

// The Channel is on this machine or near, and all clients wait for it.
constexpr milliseconds kRetryFirst{50};
constexpr milliseconds kRetryMax{2000};

/// Silent intervals in a row, each after a ping, after which a link is closed.
constexpr int kSilentTicksMax = 2;
constexpr std::uint64_t kNoTickYet = ~std::uint64_t{0};

/// For frames of the server, which limits them itself.
constexpr std::uint64_t kPackageBytesMax = 0xffff'ffff;

/// Adds the names that are not in `into`, and returns these.
std::vector<std::string> addNew(const std::vector<std::string>& names,
                                std::vector<std::string>& into) {
  std::vector<std::string> added;
  for (const std::string& name : names) {
    if (std::ranges::find(into, name) != into.end()) continue;
    into.push_back(name);
    added.push_back(name);
  }
  return added;
}

std::vector<std::string> takeAway(const std::vector<std::string>& names,
                                  std::vector<std::string>& from) {
  std::vector<std::string> taken;
  for (const std::string& name : names) {
    if (std::erase(from, name) > 0) taken.push_back(name);
  }
  return taken;
}

}  // namespace

LinkBus::LinkBus(SocketUrl url, const BusOptions& options)
    : url_(std::move(url)), options_(options), codec_(*this, true), connection_(url_, codec_) {
  connection_.retryFirst = kRetryFirst;
  connection_.retryMax = kRetryMax;
  connection_.endpoint.isLink = true;
  connection_.endpoint.carriesMany = true;
  connection_.endpoint.cutWhenFull = false;
  connection_.endpoint.packageBytesMax = kPackageBytesMax;
  connection_.endpoint.sendQueueBytesMax = options_.keptBytesMax;
  connection_.onConnect = [this](Connection&) {
    silentTicks_ = 0;
    bytesReadAtTick_ = kNoTickYet;
    onLinkMade();
  };
  connection_.onClose = [this](Connection&) { onLost(); };
  connection_.onError = [this](const Error& error) { reportFailure(error); };
  connection_.endpoint.handlers.onBufferDrain = [this](Connection&) { drained(); };
}

LinkBus::~LinkBus() {
  if (!connection_.hasLoop()) return;
  if (tick_ != 0) Timer::cancel(tick_);
  endFence();
  awaitNoMore();
  if (isWanted_) counters().wanted.subtract();
  if (isUp_) counters().up.subtract();
}

LinkCounters& LinkBus::counters() const {
  Counters& all = LoopImpl::current().counters();
  return url_.scheme == "frame" ? all.workermanLinks : all.stormoLinks;
}

/// A Channel of this program was started before this process, so its absence is an error of the
/// start. One elsewhere may come later.
void LinkBus::awaitOwnChannel() {
  if (isAwaited_ || hasBeenUp_ || !url_.isUnix() || !isHeldSocket(url_.host)) return;
  isAwaited_ = true;
  ++awaited().count;
}

void LinkBus::awaitNoMore() {
  if (std::exchange(isAwaited_, false)) awaited().arrived();
}

template <typename Call>
void LinkBus::guarded(const char* kind, const Call& call) {
  if constexpr (requires { static_cast<bool>(call); }) {
    if (!call) return;
  }
  if (!callHandler(kind, [&call] { call(); })) LoopImpl::current().counters().handlerErrors.add();
}

void LinkBus::connect() {
  if (!std::exchange(isWanted_, true)) counters().wanted.add();
  awaitOwnChannel();
  connection_.connect();
  if (tick_ == 0 && options_.pingInterval > options_.pingInterval.zero()) {
    lastTickAt_ = EventLoop::current().now();
    tick_ = Timer::add(options_.pingInterval, [this] { onTick(); });
  }
}

void LinkBus::close() {
  if (std::exchange(isWanted_, false)) counters().wanted.subtract();
  endFence();
  awaitNoMore();
  connection_.close();
  if (tick_ != 0) Timer::cancel(std::exchange(tick_, 0));
}

void LinkBus::becomeUp() {
  if (std::exchange(failureReported_, false))
    log::info("the Channel is there again url={}", url_.text());
  if (!std::exchange(isUp_, true)) counters().up.add();
  hasBeenUp_ = true;
  scratch_.clear();
  writeSubscriptions(scratch_);
  if (takesJobs_ && !queues_.empty()) writeWatch(queues_, scratch_);
  for (std::uint64_t i = 0; i < reservations_; ++i) writeReserve(scratch_);
  send(scratch_);
  sendKept();
  guarded("onConnect", onConnect);
  awaitNoMore();
}

void LinkBus::onLost() {
  if (!std::exchange(isUp_, false)) return;
  counters().up.subtract();
  if (isWanted_ && !std::exchange(failureReported_, true)) {
    log::warning("the link to the Channel was closed, connecting again url={}", url_.text());
  }
  lastEvents_ = events_;
  endFence();  // jobs in flight are lost with the link
  onLinkLost();
  guarded("onClose", onClose);
}

void LinkBus::drained() {
  if (std::exchange(owesDrain_, false)) guarded("onDrain", onDrain);
}

void LinkBus::reportFailure(const Error& error) {
  if (isAwaited_) awaited().why = "no link to its Channel: " + error.message();
  if (std::exchange(failureReported_, true)) return;  // logged once for each outage
  log::warning("no link to the Channel, trying again url={} reason=\"{}\"", url_.text(),
               error.message());
}

/// Silence is counted in ticks, not in time: between two ticks lies at least one turn in which the
/// link was read. So the Channel is never blamed for a handler of ours that blocked.
void LinkBus::onTick() {
  const TimePoint now = EventLoop::current().now();
  const TimePoint due = std::exchange(lastTickAt_, now) + options_.pingInterval;
  if (now >= due + options_.pingInterval) {
    log::warning("a handler of this process blocked its event loop late_ms={}",
                 std::chrono::duration_cast<milliseconds>(now - due).count());
  }
  net::ConnectionImpl* link = connection_.connection();
  if (link == nullptr || link->phase != net::Phase::Open) return;
  const bool isSilent = std::exchange(bytesReadAtTick_, link->bytesRead()) == link->bytesRead();
  silentTicks_ = isSilent ? silentTicks_ + 1 : 0;
  if (silentTicks_ >= kSilentTicksMax && (expectsPong() || !isUp_)) {
    log::warning("the Channel does not answer, making a new link url={}", url_.text());
    return link->destroy();
  }
  ping();
}

void LinkBus::onFrame(net::ConnectionImpl&, std::string_view payload) { onPayload(payload); }

void LinkBus::violation(net::ConnectionImpl& peer, std::string_view reason, std::string_view) {
  violationLog_.write(peer, dialect(), reason, EventLoop::current().now());
  peer.reactor.connections.refuse(peer, CloseCode::ProtocolError, reason);
}

void LinkBus::violation(std::string_view reason) {
  if (net::ConnectionImpl* link = connection_.connection()) violation(*link, reason, {});
}

void LinkBus::dropLink(std::string_view reason) {
  if (net::ConnectionImpl* link = connection_.connection()) {
    link->reactor.connections.refuse(*link, CloseCode::ProtocolError, reason);
  }
}

void LinkBus::send(std::string_view frames) {
  net::ConnectionImpl* link = connection_.connection();
  if (link == nullptr || frames.empty()) return;
  link->append(frames);
  link->reactor.counters().messagesOut.add();
}

bool LinkBus::isSubscribed(std::string_view event) const {
  return std::ranges::find(events_, event) != events_.end();
}

bool LinkBus::wasSubscribed(const std::string& event) const {
  return std::ranges::find(lastEvents_, event) != lastEvents_.end();
}

void LinkBus::subscribe(const Names& events) {
  const Names added = addNew(events, events_);
  if (added.empty() || !isUp_) return;
  scratch_.clear();
  writeSubscribe(added, scratch_);
  send(scratch_);
}

void LinkBus::unsubscribe(const Names& events) {
  const Names removed = takeAway(events, events_);
  takeAway(events, lastEvents_);
  if (removed.empty() || !isUp_) return;
  scratch_.clear();
  writeUnsubscribe(removed, scratch_);
  send(scratch_);
}

void LinkBus::watch(const Names& queues) {
  const Names added = addNew(queues, queues_);
  if (added.empty() || !isUp_ || !takesJobs_) return;
  scratch_.clear();
  writeWatch(added, scratch_);
  send(scratch_);
}

void LinkBus::unwatch(const Names& queues) {
  const Names removed = takeAway(queues, queues_);
  if (queues_.empty()) reservations_ = 0;  // as the server sees it
  if (removed.empty() || !isUp_) return;
  scratch_.clear();
  writeUnwatch(removed, scratch_);
  send(scratch_);
}

void LinkBus::reserve() {
  if (!takesJobs_) return;
  if (!queues_.empty()) ++reservations_;
  if (!isUp_) return;
  scratch_.clear();
  writeReserve(scratch_);
  send(scratch_);
}

void LinkBus::stopTakingJobs() {
  if (!std::exchange(takesJobs_, false)) return;
  reservations_ = 0;
  if (queues_.empty() || !isUp_) return;
  scratch_.clear();
  writeUnwatch(queues_, scratch_);
  send(scratch_);
  // The Channel does not answer an unwatch. An event that is published after it arrives after the
  // last job, in both dialects.
  const std::string fence = "stormo.jobs-end." + std::to_string(randomId());
  subscribe({fence});
  if (publish({fence}, nullptr, false) != PublishStatus::Accepted) return;
  fence_ = fence;
  fenceWork_.set(true);
}

void LinkBus::endFence() {
  if (fence_.empty()) return;
  fence_.clear();
  fenceWork_.set(false);
}

void LinkBus::giveBack(std::string_view queue, const Value& data) {
  if (enqueue({std::string(queue)}, data) == PublishStatus::Accepted) return;
  log::error(
      "a job was lost: it arrived while the process ended, and the Channel takes nothing "
      "back queue=\"{}\"",
      queue);
}

void LinkBus::ping() {
  if (!isUp_) return;
  scratch_.clear();
  writePing(scratch_);
  send(scratch_);
}

void LinkBus::jobReceived(std::string_view queue, std::string_view data) {
  if (reservations_ > 0) --reservations_;
  std::size_t consumed = 0;
  const auto value = php::unserialize(data, consumed);
  if (!value || consumed != data.size()) return violation("a job that is no serialized value");
  if (!takesJobs_) return giveBack(queue, *value);
  if (onJob) guarded("onJob", [&] { onJob(queue, *value); });
}

void LinkBus::eventReceived(std::string_view event, std::string_view data) {
  std::size_t consumed = 0;
  const auto value = php::unserialize(data, consumed);
  if (!value || consumed != data.size()) return violation("an event that is no serialized value");
  if (!fence_.empty() && event == fence_) return endFence();
  if (onEvent) guarded("onEvent", [&] { onEvent(event, *value); });
}

void LinkBus::gapReceived() { guarded("onGap", onGap); }

void LinkBus::groupMessageReceived(const GroupMessage& message) {
  if (onGroupMessage) guarded("onGroupMessage", [&] { onGroupMessage(message); });
}

void LinkBus::repeatReceived(std::string_view group) {
  if (onRepeat) guarded("onRepeat", [&] { onRepeat(group); });
}

void LinkBus::historyReplyReceived(const HistoryHandler& handler, const HistoryReply& reply) {
  guarded("requestHistory", [&] { handler(reply); });
}

void LinkBus::rejectedReceived(std::uint64_t number, std::string_view reason) {
  if (onRejected) guarded("onRejected", [&] { onRejected(number, reason); });
}

void LinkBus::acknowledgedReceived() { guarded("onAcknowledged", onAcknowledged); }

}  // namespace stormo::channel
