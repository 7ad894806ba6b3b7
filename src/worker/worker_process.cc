#include "worker/worker_process.h"

#include <algorithm>

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

std::unique_ptr<net::Codec> makeCodec(const Worker& worker) {
  Protocol protocol = protocolOf(worker);
  if (protocol.input) return std::make_unique<net::PackageCodec>(std::move(protocol));
  return std::make_unique<net::WebSocketCodec>(worker.websocket, worker.onWebSocketConnect);
}

}  // namespace

WorkerProcess::WorkerProcess(Worker& worker, process::Child& child)
    : worker_(worker),
      child_(child),
      table_(net::ConnectionTable::of(child.loop())),
      codec_(makeCodec(worker)),
      listener_(child.loop(), endpoint_) {
  endpoint_.codec = codec_.get();
  endpoint_.packageBytesMax = worker.maxPackageSize;
  endpoint_.sendQueueBytesMax = worker.maxSendBufferSize;
  endpoint_.handshakeTimeout = worker.handshakeTimeout;
  if (!protocolOf(worker).input) endpoint_.pingInterval = worker.pingInterval;
  endpoint_.pongTimeout = worker.pongTimeout;
  endpoint_.handlers = {worker.onConnect, worker.onMessage,    worker.onClose,
                        worker.onError,   worker.onBufferFull, worker.onBufferDrain};

  child.onStop = [this](process::StopOrder order) { stop(order); };
  child.onConnections = [this] { return connectionRows(table_); };
  child.onAcceptForSibling = [this](const std::vector<int>& listeners, bool accept) {
    if (stopping_) return;
    for (const int fd : listeners) accept ? listener_.start(fd) : listener_.stop(fd);
  };

  worker_.process_ = this;
  if (worker_.onWorkerStart) worker_.onWorkerStart(worker_);
  for (const int fd : child.listeners()) listener_.start(fd);
}

WorkerProcess::~WorkerProcess() { worker_.process_ = nullptr; }

Connection* WorkerProcess::find(ConnectionId id) const { return table_.find(id); }

std::size_t WorkerProcess::clientCount() const {
  std::size_t count = 0;
  forEachClient([&](const net::Peer& peer) { count += peer.isUsable() ? 1 : 0; });
  return count;
}

void WorkerProcess::stop(process::StopOrder order) {
  order_ = order;
  const bool goesOn = order.graceful && (!stopping_ || !goodbyeSaid_);
  if (!stopping_) {
    stopping_ = true;
    listener_.stopAll();
    const bool isReload = order.reason == process::StopOrder::Reason::Reload;
    if (isReload && worker_.onWorkerReload) worker_.onWorkerReload(worker_);
    if (worker_.onWorkerStop) worker_.onWorkerStop(worker_);
    Timer::add(kStopTick, [this] { endWhenDone(); });
  }
  if (!goesOn) return sayGoodbye();
  if (order.timeout > milliseconds::zero()) Timer::once(order.timeout, [this] { sayGoodbye(); });
}

void WorkerProcess::sayGoodbye() {
  if (goodbyeSaid_) return;
  goodbyeSaid_ = true;
  goodbyeDeadline_ = child_.loop().now() + kGoodbyeTime;
  const bool isReload = order_.reason == process::StopOrder::Reason::Reload;
  forEachClient([&](net::Peer& peer) {
    peer.close(isReload ? CloseCode::ServiceRestart : CloseCode::GoingAway);
  });
}

void WorkerProcess::endWhenDone() {
  // What clients have sent before may still be on its way to the Channel.
  bool anyLeft = child_.loop().impl().unfinished > 0;
  forEachClient([&](const net::Peer&) { anyLeft = true; });
  const bool outOfTime = goodbyeSaid_ && child_.loop().now() >= goodbyeDeadline_;
  if (!anyLeft || outOfTime) child_.loop().stop();
}

}  // namespace stormo
