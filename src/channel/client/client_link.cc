#include "channel/client/client_link.h"

#include <algorithm>
#include <stdexcept>

#include "channel/client/stormo_dialect.h"
#include "channel/client/workerman_dialect.h"
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

SocketUrl checkedUrl(std::string_view text) {
  SocketUrl url = parseSocketUrl(text);
  const std::string protocol = url.protocol();
  if (url.isUnix() || protocol == "stormo" || protocol == "frame") return url;
  throw std::invalid_argument("no Channel is reached by '" + std::string(text) +
                              "' (write stormo://host:port, unix:///path or frame://host:port; "
                              "stormos:// and frames:// with TLS)");
}

std::unique_ptr<ClientDialect> makeDialect(ClientLink& link) {
  if (link.url().protocol() == "frame") return std::make_unique<WorkermanDialect>(link);
  return std::make_unique<StormoDialect>(link);
}

}  // namespace

ClientLink::ClientLink(std::string_view url, ChannelOptions options)
    : url_(checkedUrl(url)),
      options_(std::move(options)),
      codec_(*this, true),
      connection_(url_, codec_),
      dialect_(makeDialect(*this)) {
  connection_.retryFirst = kRetryFirst;
  connection_.retryMax = kRetryMax;
  connection_.useTls(options_.tls);
  connection_.endpoint.isLink = true;
  connection_.endpoint.carriesMany = true;
  connection_.endpoint.cutWhenFull = false;
  connection_.endpoint.packageBytesMax = kPackageBytesMax;
  connection_.endpoint.sendQueueBytesMax = options_.unackedBytesMax;
  connection_.onConnect = [this](Connection&) {
    silentTicks_ = 0;
    bytesReadAtTick_ = kNoTickYet;
    dialect_->onConnection();
  };
  connection_.onClose = [this](Connection&) { onLost(); };
  connection_.onError = [this](const Error& error) { reportFailure(error); };
  connection_.endpoint.handlers.onBufferDrain = [this](Connection&) { drained(); };
}

ClientLink::~ClientLink() {
  if (!connection_.hasLoop()) return;
  if (tick_ != 0) Timer::cancel(tick_);
  endFence();
  awaitNoMore();
  if (isWanted_) counters().wanted.subtract();
  setBlocked(false);
  if (isUp_) counters().up.subtract();
}

LinkCounters& ClientLink::counters() const {
  Counters& all = LoopImpl::current().counters();
  return url_.protocol() == "frame" ? all.workermanLinks : all.stormoLinks;
}

/// A Channel of this program was started before this process, so its absence is an error of the
/// start. One elsewhere may come later.
void ClientLink::awaitOwnChannel() {
  if (isAwaited_ || hasBeenUp_ || !url_.isUnix() || !isHeldSocket(url_.host)) return;
  isAwaited_ = true;
  ++awaited().count;
}

void ClientLink::awaitNoMore() {
  if (std::exchange(isAwaited_, false)) awaited().arrived();
}

void ClientLink::countError() { LoopImpl::current().counters().handlerErrors.add(); }

void ClientLink::connect() {
  if (!std::exchange(isWanted_, true)) counters().wanted.add();
  awaitOwnChannel();
  connection_.connect();
  if (tick_ == 0 && options_.pingInterval > options_.pingInterval.zero()) {
    lastTickAt_ = EventLoop::current().now();
    tick_ = Timer::add(options_.pingInterval, [this] { onTick(); });
  }
}

void ClientLink::close() {
  if (std::exchange(isWanted_, false)) counters().wanted.subtract();
  endFence();
  awaitNoMore();
  connection_.close();
  if (tick_ != 0) Timer::cancel(std::exchange(tick_, 0));
}

void ClientLink::becomeUp() {
  if (std::exchange(failureReported_, false))
    log::info("the Channel is there again url={}", url_.text());
  if (!std::exchange(isUp_, true)) counters().up.add();
  hasBeenUp_ = true;
  scratch_.clear();
  dialect_->writeSubscriptions(scratch_);
  if (takesJobs_ && !queues_.empty()) dialect_->write(LinkRequest::Watch, queues_, scratch_);
  send(scratch_);
  dialect_->sendKept();
  if (!dialect_->awaitsJobs()) sendReservations();
  call("onConnect", onConnect);
  awaitNoMore();
}

void ClientLink::setBlocked(bool isBlocked) {
  if (std::exchange(isBlocked_, isBlocked) == isBlocked) return;
  isBlocked ? counters().blocked.add() : counters().blocked.subtract();
}

void ClientLink::sendReservations() {
  scratch_.clear();
  for (std::uint64_t i = 0; i < reservations_; ++i) {
    dialect_->write(LinkRequest::Reserve, {}, scratch_);
  }
  send(scratch_);
}

void ClientLink::onLost() {
  setBlocked(false);
  if (!std::exchange(isUp_, false)) return;
  counters().up.subtract();
  if (isWanted_ && !std::exchange(failureReported_, true)) {
    log::warning("the link to the Channel was closed, connecting again url={}", url_.text());
  }
  lastEvents_ = events_;
  endFence();  // jobs in flight are lost with the link
  dialect_->onLost();
  call("onClose", onClose);
}

void ClientLink::drained() {
  if (std::exchange(owesDrain_, false)) call("onDrain", onDrain);
}

void ClientLink::reportFailure(const Error& error) {
  if (isAwaited_) awaited().why = "no link to its Channel: " + error.message();
  if (std::exchange(failureReported_, true)) return;  // logged once for each outage
  log::warning("no link to the Channel, trying again url={} reason=\"{}\"", url_.text(),
               error.message());
}

/// Silence is counted in ticks, not in time: between two ticks lies at least one turn in which the
/// link was read. So the Channel is never blamed for a handler of ours that blocked.
void ClientLink::onTick() {
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
  if (silentTicks_ >= kSilentTicksMax && (dialect_->expectsPong() || !isUp_)) {
    log::warning("the Channel does not answer, making a new link url={}", url_.text());
    return link->destroy();
  }
  ping();
}

void ClientLink::onFrame(net::ConnectionImpl&, std::string_view payload) {
  dialect_->onFrame(payload);
}

void ClientLink::violation(net::ConnectionImpl& connection, std::string_view reason,
                           std::string_view) {
  violationLog_.write(connection, dialect_->name(), reason, EventLoop::current().now());
  connection.reactor.connections.refuse(connection, CloseCode::ProtocolError, reason);
}

void ClientLink::violation(std::string_view reason) {
  if (net::ConnectionImpl* link = connection_.connection()) violation(*link, reason, {});
}

void ClientLink::drop(std::string_view reason) {
  if (net::ConnectionImpl* link = connection_.connection()) {
    link->reactor.connections.refuse(*link, CloseCode::ProtocolError, reason);
  }
}

void ClientLink::send(std::string_view frames) {
  net::ConnectionImpl* link = connection_.connection();
  if (link == nullptr || frames.empty()) return;
  link->append(frames);
  link->reactor.counters().messagesOut.add();
}

bool ClientLink::isSubscribed(std::string_view event) const {
  return std::ranges::find(events_, event) != events_.end();
}

bool ClientLink::wasSubscribed(const std::string& event) const {
  return std::ranges::find(lastEvents_, event) != lastEvents_.end();
}

/// Not while there is no link: becomeUp() makes up for it.
void ClientLink::sendRequest(LinkRequest request, const Names& names) {
  if (!isUp_) return;
  scratch_.clear();
  dialect_->write(request, names, scratch_);
  send(scratch_);
}

void ClientLink::subscribe(const Names& events) {
  const Names added = addNew(events, events_);
  if (!added.empty()) sendRequest(LinkRequest::Subscribe, added);
}

void ClientLink::unsubscribe(const Names& events) {
  const Names removed = takeAway(events, events_);
  takeAway(events, lastEvents_);
  if (!removed.empty()) sendRequest(LinkRequest::Unsubscribe, removed);
}

void ClientLink::watch(const Names& queues) {
  const Names added = addNew(queues, queues_);
  if (!added.empty() && takesJobs_) sendRequest(LinkRequest::Watch, added);
}

void ClientLink::unwatch(const Names& queues) {
  const Names removed = takeAway(queues, queues_);
  if (queues_.empty()) reservations_ = unreservedJobs_ = 0;  // as the server sees it
  if (!removed.empty()) sendRequest(LinkRequest::Unwatch, removed);
}

void ClientLink::reserve() {
  if (!takesJobs_) return;
  if (unreservedJobs_ > 0) {
    --unreservedJobs_;
    return;
  }
  if (!queues_.empty()) ++reservations_;
  if (!dialect_->awaitsJobs()) sendRequest(LinkRequest::Reserve, {});
}

void ClientLink::stopTakingJobs() {
  if (!std::exchange(takesJobs_, false)) return;
  reservations_ = 0;
  if (queues_.empty() || !isUp_) return;
  sendRequest(LinkRequest::Unwatch, queues_);
  // The Channel does not answer an unwatch. An event that is published after it arrives after the
  // last job, in both dialects.
  const std::string fence = "stormo.jobs-end." + std::to_string(randomId());
  subscribe({fence});
  if (dialect_->publish({fence}, nullptr, false) != PublishStatus::Accepted) return;
  fence_ = fence;
  fenceWork_.set(true);
}

void ClientLink::endFence() {
  if (fence_.empty()) return;
  fence_.clear();
  fenceWork_.set(false);
}

void ClientLink::ping() { sendRequest(LinkRequest::Ping, {}); }

void ClientLink::jobReceived(std::uint64_t number, std::string_view queue, std::string_view data) {
  if (reservations_ > 0) {
    --reservations_;
  } else if (!queues_.empty()) {
    ++unreservedJobs_;
  }
  std::size_t consumed = 0;
  const auto value = php::unserialize(data, consumed);
  if (!value || consumed != data.size()) return violation("a job that is no serialized value");
  if (takesJobs_) return call("onJob", onJob, number, queue, *value);
  if (dialect_->giveBackJob(number, queue, *value)) return;
  log::error(
      "a job was lost: it arrived while the process ended, and the Channel takes nothing "
      "back queue=\"{}\"",
      queue);
}

void ClientLink::eventReceived(std::string_view event, std::string_view data) {
  std::size_t consumed = 0;
  const auto value = php::unserialize(data, consumed);
  if (!value || consumed != data.size()) return violation("an event that is no serialized value");
  if (!fence_.empty() && event == fence_) return endFence();
  call("onEvent", onEvent, event, *value);
}

}  // namespace stormo::channel
