#include "worker/worker_process.h"

#include <algorithm>

#include "channel/client/client_jobs.h"
#include "event/call_handler.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "net/package_codec.h"
#include "net/websocket_codec.h"
#include "worker/connection_rows.h"
#include "worker/declaration.h"

namespace stormo {
namespace {

using std::chrono::milliseconds;

// Between two looks at whether all clients have gone, while stopping.
constexpr milliseconds kStopTick{10};
// For goodbyes to leave and be answered, after which the process ends anyway.
constexpr milliseconds kGoodbyeTime{2000};

/// Calls the user's handler where it is: it may be set after the process has started.
template <typename... Args>
std::function<void(Args...)> forwardTo(const std::function<void(Args...)>& handler) {
  return [&handler](Args... args) {
    if (handler) handler(args...);
  };
}

std::unique_ptr<net::Codec> makeCodec(const Worker& worker) {
  Protocol protocol = protocolOf(worker);
  if (!protocol.isWebSocket()) return std::make_unique<net::PackageCodec>(std::move(protocol));
  return std::make_unique<net::WebSocketCodec>(
      worker.websocket, forwardTo(worker.onWebSocketConnect), forwardTo(worker.onWebSocketOpen));
}

}  // namespace

WorkerProcess::WorkerProcess(Worker& worker, process::Child& child)
    : worker_(worker),
      child_(child),
      table_(net::ConnectionTable::of(child.loop())),
      listener_(child.loop(), endpoint_, child.siblings()) {
  child.onStop = [this](process::StopOrder order) { stop(order); };
  child.onConnections = [this] { return connectionRows(table_); };
  child.onAcceptForSibling = [this](const std::vector<int>& listeners, bool accept) {
    if (stopping_) return;
    for (const int fd : listeners) accept ? listener_.start(fd) : listener_.stop(fd);
  };

  worker_.process_ = this;
  if (worker_.onWorkerStart) worker_.onWorkerStart(worker_);
  configure();  // after the hook, which may have set handlers and limits
  for (const int fd : child.listeners()) listener_.start(fd);
}

void WorkerProcess::configure() {
  codec_ = makeCodec(worker_);
  endpoint_.codec = codec_.get();
  const Protocol protocol = protocolOf(worker_);
  endpoint_.packageBytesMax = worker_.maxPackageSize.value_or(protocol.maxPackageSize);
  endpoint_.sendQueueBytesMax = worker_.maxSendBufferSize;
  endpoint_.handshakeTimeout = worker_.handshakeTimeout;
  if (protocol.isWebSocket()) endpoint_.pingInterval = worker_.pingInterval;
  endpoint_.pongTimeout = worker_.pongTimeout;
  endpoint_.messageTimeout = worker_.messageTimeout;
  endpoint_.incompleteBytesMax = worker_.maxIncompleteSize;
  endpoint_.hasRoom = worker_.hasRoom;
  endpoint_.handlers = {.onConnect = forwardTo(worker_.onConnect),
                        .onMessage = forwardTo(worker_.onMessage),
                        .onClose = forwardTo(worker_.onClose),
                        .onError = forwardTo(worker_.onError),
                        .onBufferFull = forwardTo(worker_.onBufferFull),
                        .onBufferDrain = forwardTo(worker_.onBufferDrain)};
}

WorkerProcess::~WorkerProcess() { worker_.process_ = nullptr; }

Connection* WorkerProcess::find(ConnectionId id) const { return table_.find(id); }

std::size_t WorkerProcess::clientCount() const {
  std::size_t count = 0;
  forEachClient([&](const net::ConnectionImpl& peer) { count += peer.isUsable() ? 1 : 0; });
  return count;
}

void WorkerProcess::stop(process::StopOrder order) {
  order_ = order;
  const bool goesOn = order.graceful && (!stopping_ || !goodbyeSaid_);
  if (!stopping_) {
    stopping_ = true;
    listener_.stopAll();
    channel::stopTakingJobs();
    Timer::add(kStopTick, [this] { endWhenDone(); });
    const bool isReload = order.reason == process::StopOrder::Reason::Reload;
    if (isReload) callHook("onWorkerReload", worker_.onWorkerReload);
    callHook("onWorkerStop", worker_.onWorkerStop);
  }
  if (!goesOn) return sayGoodbye();
  if (order.timeout > milliseconds::zero()) Timer::once(order.timeout, [this] { sayGoodbye(); });
}

/// The process ends, whatever its last hooks throw.
void WorkerProcess::callHook(const char* name, const std::function<void(Worker&)>& hook) {
  if (!hook) return;
  const bool returned = callHandler(name, [&] { hook(worker_); });
  if (!returned) LoopImpl::of(child_.loop()).counters().handlerErrors.add();
}

void WorkerProcess::sayGoodbye() {
  if (goodbyeSaid_) return;
  goodbyeSaid_ = true;
  goodbyeDeadline_ = child_.loop().now() + kGoodbyeTime;
  const bool isReload = order_.reason == process::StopOrder::Reason::Reload;
  forEachClient([&](net::ConnectionImpl& peer) {
    peer.close(isReload ? CloseCode::ServiceRestart : CloseCode::GoingAway);
  });
}

void WorkerProcess::endWhenDone() {
  // What clients have sent before may still be on its way to the Channel.
  bool anyLeft = UnfinishedWork::count() > 0;
  forEachClient([&](const net::ConnectionImpl&) { anyLeft = true; });
  const bool outOfTime = goodbyeSaid_ && child_.loop().now() >= goodbyeDeadline_;
  if (!anyLeft || outOfTime) child_.loop().stop();
}

}  // namespace stormo
