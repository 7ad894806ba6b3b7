#include "worker/worker_process.h"

#include <algorithm>
#include <utility>

#include "channel/client/client_jobs.h"
#include "event/call_handler.h"
#include "event/drain.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "net/codec/codec_session.h"
#include "net/codec/package_codec.h"
#include "net/codec/websocket_codec.h"
#include "sys/open_files.h"
#include "sys/sockets.h"
#include "worker/connection_rows.h"
#include "worker/declaration.h"
#include "worker/tls_credentials.h"

namespace stormo {
namespace {

using std::chrono::milliseconds;

/// Calls the handler that is set at the time of the call: it may be set after this.
template <typename... Args>
std::function<void(Args...)> forwardTo(const std::function<void(Args...)>& handler) {
  return [&handler](Args... args) {
    if (handler) handler(args...);
  };
}

std::unique_ptr<net::Codec> makeCodec(const Worker& worker,
                                      std::function<std::string_view()> whyNotReady,
                                      std::function<bool()> takesNoClients) {
  Protocol protocol = protocolOf(worker);
  if (protocol.isHttp()) {
    auto codec = std::make_unique<net::HttpCodec>(worker.http, worker.websocket, worker.onRequest);
    codec->reportReadiness(std::move(whyNotReady), std::move(takesNoClients));
    return codec;
  }
  if (!protocol.isWebSocket()) return std::make_unique<net::PackageCodec>(std::move(protocol));
  auto codec = std::make_unique<net::WebSocketCodec>(
      worker.websocket, forwardTo(worker.onWebSocketConnect), forwardTo(worker.onWebSocketOpen));
  codec->reportReadiness(std::move(whyNotReady), std::move(takesNoClients));
  return codec;
}

bool isConnected(const LinkCounters& links) { return links.up.get() >= links.wanted.get(); }

/// The time between two steps of a paced order.
constexpr milliseconds kPaceStep{10};
/// So many clients that wait at one address are a burst; with more, the processes that accept them
/// are behind.
constexpr std::size_t kWaitingMax = 32;

/// True if this listening socket has one of the addresses with the PROXY protocol. Port 0 in them
/// is the port that the kernel has chosen.
bool awaitsProxyHeader(const ProxyOptions& proxies, int listening) {
  if (proxies.proxyProtocol.empty()) return false;
  const Address local = localAddress(listening);
  return std::ranges::any_of(proxies.proxyProtocol, [&](const std::string& url) {
    const SocketUrl parsed = parseSocketUrl(url);
    if (parsed.isUnix()) return local.isUnix() && local.host() == parsed.host;
    return std::ranges::any_of(Address::known(parsed.host, parsed.port), [&](const Address& each) {
      return each.host() == local.host() && (each.port() == 0 || each.port() == local.port());
    });
  });
}

}  // namespace

WorkerProcess::WorkerProcess(Worker& worker, process::Child& child,
                             std::shared_ptr<const net::TlsContext> tls,
                             net::SharedAdmission* admission)
    : worker_(worker),
      child_(child),
      table_(net::ConnectionTable::of(child.loop())),
      listener_(child.loop(), endpoint_, child.siblings()) {
  endpoint_.tls = std::move(tls);
  child.onCredentials = [this](const UniqueFd& file) {
    endpoint_.tls = TlsCredentials::contextIn(file);
  };
  child.onStop = [this](process::StopOrder order) { stop(order); };
  child.onConnections = [this] { return connectionRows(table_); };
  child.onAcceptForSibling = [this](const std::vector<int>& listeners, bool accept) {
    if (stopping_) return;
    if (accept) return this->accept(listeners);
    for (const int fd : listeners) listener_.stop(fd);
  };

  worker_.process_ = this;
  if (worker_.onWorkerStart) worker_.onWorkerStart(worker_);
  configure();  // after the hook, which may have set handlers and limits
  limit(admission);
  if (protocolOf(worker_).isWebSocket()) servePlainRequests();
  accept(child.listeners());
}

void WorkerProcess::configure() {
  codec_ = makeCodec(
      worker_, [this] { return whyNotReady(); }, [this] { return child_.stillAccepts; });
  endpoint_.codec = codec_.get();
  const Protocol protocol = protocolOf(worker_);
  endpoint_.packageBytesMax = worker_.maxPackageSize.value_or(protocol.maxPackageSize);
  endpoint_.sendQueueBytesMax = worker_.maxSendBufferSize;
  endpoint_.handshakeTimeout = worker_.handshakeTimeout;
  if (protocol.isWebSocket()) endpoint_.pingInterval = worker_.pingInterval;
  // What it sends is bounded: see HttpCodec.
  if (protocol.isHttp()) endpoint_.cutWhenFull = false;
  endpoint_.pongTimeout = worker_.pongTimeout;
  endpoint_.messageTimeout = worker_.messageTimeout;
  endpoint_.incompleteBytesMax = worker_.maxIncompleteSize;
  endpoint_.hasRoom = worker_.hasRoom;
  // Addresses with the PROXY protocol and without trusted proxies refuse everybody.
  if (!worker_.proxies.trusted.empty() || !worker_.proxies.proxyProtocol.empty()) {
    proxies_.emplace(proxy::TrustedProxies(worker_.proxies.trusted), worker_.proxies.header);
    endpoint_.proxies = &*proxies_;
  }
  endpoint_.handlers = {.onConnect = forwardTo(worker_.onConnect),
                        .onMessage = forwardTo(worker_.onMessage),
                        .onClose = forwardTo(worker_.onClose),
                        .onError = forwardTo(worker_.onError),
                        .onBufferFull = forwardTo(worker_.onBufferFull),
                        .onBufferDrain = forwardTo(worker_.onBufferDrain)};
}

/// On the address of WebSocket.
void WorkerProcess::servePlainRequests() {
  httpCodec_.emplace(worker_.http, worker_.websocket, worker_.onRequest);
  httpCodec_->reportReadiness([this] { return whyNotReady(); },
                              [this] { return child_.stillAccepts; });
  httpEndpoint_ = endpoint_;
  httpEndpoint_.codec = &*httpCodec_;
  httpEndpoint_.pingInterval = milliseconds::zero();
  httpEndpoint_.cutWhenFull = false;
  httpEndpoint_.other = &endpoint_;
  endpoint_.other = &httpEndpoint_;
}

/// By the limits of the time when the Worker was declared to the master: all processes have them.
void WorkerProcess::limit(net::SharedAdmission* shared) {
  if (shared == nullptr) shared = &ownAdmission_.emplace(worker_.limits, 1, openFilesMax());
  const Limits& limits = shared->limits();
  net::Reactor& reactor = net::Reactor::of(child_.loop());
  endpoint_.admission = &admission_.emplace(*shared, ownAdmission_ ? 0 : child_.part(), reactor);
  const bool hasRates = limits.messagesPerSecond.max > 0 || limits.bytesPerSecond.max > 0 ||
                        limits.messagesPerSecondPerUser.max > 0 ||
                        limits.bytesPerSecondPerUser.max > 0;
  if (hasRates) {
    endpoint_.inputRates = &inputRates_.emplace(net::InputRates{
        .messagesPerSecond = limits.messagesPerSecond,
        .bytesPerSecond = limits.bytesPerSecond,
        .messagesPerSecondPerUser = limits.messagesPerSecondPerUser,
        .bytesPerSecondPerUser = limits.bytesPerSecondPerUser,
        .overRate = limits.overRate,
    });
  }
  if (limits.outputBytes.max > 0) outputMemory_.emplace(reactor, endpoint_, limits.outputBytes);
}

bool WorkerProcess::admitUser(Connection& connection, std::string_view user) {
  return !admission_ || admission_->enterUser(net::ConnectionImpl::of(connection), user);
}

void WorkerProcess::accept(const std::vector<int>& listeners) {
  for (const int fd : listeners) listener_.start(fd, awaitsProxyHeader(worker_.proxies, fd));
}

WorkerProcess::~WorkerProcess() { worker_.process_ = nullptr; }

Connection* WorkerProcess::find(ConnectionId id) const {
  net::ConnectionImpl* const peer = table_.find(id);
  return peer != nullptr && isClient(*peer) ? peer : nullptr;
}

std::size_t WorkerProcess::clientCount() const {
  std::size_t count = 0;
  forEachClient([&](const net::ConnectionImpl& peer) { count += peer.isShown() ? 1 : 0; });
  return count;
}

void WorkerProcess::stop(process::StopOrder order) {
  order_ = order;
  const bool mayContinue = order.graceful && !closedClients_;
  // In a reload the successor accepts.
  const bool isAlone = order.reason == process::StopOrder::Reason::Stop;
  child_.stillAccepts =
      mayContinue && isAlone && answersHealthChecks() && (!stopping_ || child_.stillAccepts);
  if (!child_.stillAccepts) listener_.stopAll();
  if (!stopping_) {
    stopping_ = true;
    channel::stopTakingJobs();
    whenDrained([this] { return isDrained(); }, [this] { child_.loop().stop(); });
    const bool isReload = order.reason == process::StopOrder::Reason::Reload;
    if (isReload) callHook("onWorkerReload", worker_.onWorkerReload);
    callHook("onWorkerStop", worker_.onWorkerStop);
    if (mayContinue) endKeepAlive();
  }
  if (!mayContinue) return closeClients();
  if (order.over > milliseconds::zero()) closeAtPace(order.over);
  if (order.timeout > milliseconds::zero()) Timer::once(order.timeout, [this] { closeClients(); });
}

/// Logs an exception of the hook, because the process ends in either case.
void WorkerProcess::callHook(const char* name, const std::function<void(Worker&)>& hook) {
  if (!hook) return;
  const bool returned = callHandler(name, [&] { hook(worker_); });
  if (!returned) LoopImpl::of(child_.loop()).counters().handlerErrors.add();
}

void WorkerProcess::closeClients() {
  if (std::exchange(closedClients_, true)) return;
  if (paceTimer_ != 0) Timer::cancel(std::exchange(paceTimer_, 0));
  drainDeadline_ = child_.loop().now() + kDrainTime;
  forEachClient([this](net::ConnectionImpl& peer) { closeClient(peer); });
}

/// Clients of HTTP connect again when they have a request. What they have sent is still answered,
/// and their streams go on.
void WorkerProcess::endKeepAlive() {
  forEachClient([](net::ConnectionImpl& peer) {
    if (!peer.isUsable() || peer.endpoint->codec->hasMessages()) return;
    net::CodecSession session(peer);
    if (!peer.endpoint->codec->closeWhenAnswered(session, false)) peer.close();
  });
}

void WorkerProcess::closeClient(net::ConnectionImpl& peer) const {
  const bool isReload = order_.reason == process::StopOrder::Reason::Reload;
  net::CodecSession session(peer);
  if (peer.isUsable() && peer.endpoint->codec->closeWhenAnswered(session, true)) return;
  peer.close(isReload ? CloseCode::ServiceRestart : CloseCode::GoingAway);
}

void WorkerProcess::closeAtPace(milliseconds over) {
  if (pace_) return;
  forEachClient(
      [this](const net::ConnectionImpl& peer) { clientsToPace_.push_back(peer.id.packed()); });
  pace_.emplace(clientsToPace_.size(), child_.loop().now(), over);
  paceTimer_ = Timer::add(kPaceStep, [this] { closeDue(); });
}

void WorkerProcess::closeDue() {
  const std::size_t due = pace_->due(child_.loop().now(), areOthersBehind());
  for (; clientsPaced_ < due; ++clientsPaced_) {
    if (net::ConnectionImpl* const peer = table_.find(clientsToPace_.back())) closeClient(*peer);
    clientsToPace_.pop_back();
  }
  if (clientsToPace_.empty()) closeClients();
}

bool WorkerProcess::areOthersBehind() const {
  if (order_.reason == process::StopOrder::Reason::Stop) return false;  // nobody accepts any more
  for (std::size_t slot = 0; slot < child_.slotCount(); ++slot) {
    for (const int listening : child_.listenersOf(static_cast<int>(slot))) {
      if (waitingConnections(listening) > kWaitingMax) return true;
    }
  }
  return false;
}

bool WorkerProcess::answersHealthChecks() const {
  const Protocol protocol = protocolOf(worker_);
  return (protocol.isWebSocket() || protocol.isHttp()) && worker_.websocket.healthPages;
}

/// For /ready.
std::string_view WorkerProcess::whyNotReady() const {
  const Counters& counters = LoopImpl::of(child_.loop()).counters();
  if (stopping_) return "closing";
  if (!isConnected(counters.stormoLinks) || !isConnected(counters.workermanLinks)) {
    return "no link to the Channel";
  }
  if (counters.stormoLinks.blocked.get() > 0) {
    return "the Channel cannot take messages at the moment";
  }
  return {};
}

bool WorkerProcess::isDrained() const {
  const bool isOutOfTime = closedClients_ && child_.loop().now() >= drainDeadline_;
  // Messages that clients sent before may still be on their way to the Channel.
  bool isPending = UnfinishedWork::count() > 0;
  forEachClient([&](const net::ConnectionImpl&) { isPending = true; });  // closing ones too
  return isOutOfTime || !isPending;
}

}  // namespace stormo
