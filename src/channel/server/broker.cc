#include "channel/server/broker.h"

#include <algorithm>
#include <utility>

#include "protocol/package/frame.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

// An Event is longer than the Publish that it comes from, and must still fit into a frame.
constexpr std::size_t kPackageBytesMax = kFramePayloadBytesMax - kFrameOverheadBytesMax;

}  // namespace

Broker::Broker(EventLoop& loop, const Server& settings, Log& log, ChannelState& state)
    : reactor_(net::Reactor::of(loop)),
      table_(reactor_.connections),
      settings_(settings),
      state_(state),
      node_(log.node()),
      door_(settings, table_),
      codec_(*this, !door_.needsProof()),
      journal_(reactor_, log, state),
      jobAdmission_(state, settings.queueBytesMax),
      router_(loop, settings.groupEvent, state),
      slowLinks_(reactor_, router_, settings.linkBytesMax, settings.linkStallMax),
      consumers_(journal_, state, node_, settings.linkStallMax) {
  endpoint_.codec = &codec_;
  const std::size_t packageBytesMax =
      settings.maxPackageSize == 0 ? kDefaultFrameBytesMax : settings.maxPackageSize;
  endpoint_.packageBytesMax = std::min(packageBytesMax, kPackageBytesMax);
  endpoint_.sendQueueBytesMax = settings.linkBytesMax;
  endpoint_.kernelUnsentBytesMax = 0;    // links are few and carry much
  endpoint_.unacknowledgedTimeout = {};  // linkStallMax closes them
  endpoint_.cutWhenFull = false;
  endpoint_.carriesMany = true;
  endpoint_.handlers.onConnect = [this](Connection& link) {
    slowLinks_.add(net::ConnectionImpl::of(link));
  };
  endpoint_.handlers.onClose = [this](Connection& link) { onClose(net::ConnectionImpl::of(link)); };
  door_.refuse = [this](net::ConnectionImpl& link) { refuse(link, "wrong secret"); };
  consumers_.deliver = [this](const JobStore::Job& job) { deliver(job); };
  if (node_ != 0) interest_.emplace(node_, state, router_, journal_);
  state_.observe(this, node_);
  reactor_.add(*this);
}

Broker::~Broker() {
  reactor_.remove(*this);
  state_.observe(nullptr);
}

void Broker::onFlush() {
  journal_.flush();
  runDeferred();
  if (interest_) interest_->flush();
  journal_.flush();
  if (journal_.updateBlocked()) sendPongs();
  router_.onFlush();
}

void Broker::onFlushed() {
  router_.onFlushed();
  slowLinks_.onFlushed();
}

bool Broker::defers(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  if (isAtEnd_) {
    journal_.flush();
    return false;
  }
  link.isDeferred = true;
  deferred_.push_back({connection.id, std::string(payload)});
  return true;
}

void Broker::runDeferred() {
  if (deferred_.empty()) return;
  isAtEnd_ = true;
  for (const Deferred& each : std::exchange(deferred_, {})) {
    net::ConnectionImpl* const connection = table_.at(each.link);
    if (connection == nullptr || !connection->isUsable()) continue;
    connection->state<Link>().isDeferred = false;
    onFrame(*connection, each.payload);
  }
  isAtEnd_ = false;
}

bool Broker::expects(net::ConnectionImpl& connection, std::size_t frameBytes,
                     std::string_view start) {
  if (connection.state<Link>().consumer != 0) return true;
  if (frameBytes <= kHelloFrameBytesMax) return true;
  const bool isStormo = !start.empty() && dialectOf(start) == Dialect::Stormo;
  return !isStormo && door_.acceptsWorkerman(connection);
}

void Broker::onFrame(net::ConnectionImpl& connection, std::string_view payload) {
  Link& link = connection.state<Link>();
  if (link.consumer == 0) return onFirstFrame(connection, link, payload);
  if (link.isDeferred && defers(connection, link, payload)) return;
  if (connection.state<Dialect>() == Dialect::Stormo) return onPacket(connection, link, payload);
  onCommand(connection, link, payload);
}

void Broker::onFirstFrame(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  if (link.challenge) return onProof(connection, link, payload);
  if (dialectOf(payload) == Dialect::Stormo) return onHello(connection, link, payload);
  if (!door_.acceptsWorkerman(connection)) {
    return violation(connection, "Workerman's dialect is not accepted from this address");
  }
  open(connection, link, Dialect::Workerman, randomId());
  onCommand(connection, link, payload);
}

void Broker::open(net::ConnectionImpl& connection, Link& link, Dialect dialect,
                  ConsumerId consumer) {
  connection.state<Dialect>() = dialect;
  link.consumer = consumer;
  if (connection.phase == net::Phase::Handshake) table_.open(connection);
  ConnectionId& of = links_[consumer];
  // A producer has abandoned its former link, whether or not its end has arrived here. It resends
  // on this link whatever the former one still carries.
  if (net::ConnectionImpl* former = table_.find(std::exchange(of, connection.id.packed()))) {
    former->destroy();
  }
  consumers_.arrive(consumer);
}

void Broker::onClose(net::ConnectionImpl& connection) {
  const Link& link = connection.state<Link>();
  journal_.forget(connection);
  slowLinks_.remove(connection);
  router_.onClose(connection);
  if (interest_) interest_->linkClosed();
  const auto own = links_.find(link.consumer);
  if (own == links_.end() || own->second != connection.id.packed()) return;  // replaced by another
  links_.erase(own);
  consumers_.leave(link.consumer, link.producerId != 0);
}

void Broker::subscribe(net::ConnectionImpl& connection, Dialect dialect, Space space,
                       std::string_view name) {
  router_.subscribe(connection, dialect, space, name);
  if (interest_ && space == Space::Events) interest_->changed(name);
}

void Broker::unsubscribe(net::ConnectionImpl& connection, Dialect dialect, Space space,
                         std::string_view name) {
  router_.unsubscribe(connection, dialect, space, name);
  if (interest_ && space == Space::Events) interest_->changed(name);
}

std::uint64_t Broker::subscriberCount(std::string_view event) const {
  return router_.subscriberCount(event) + state_.interests().countBeside(node_, event);
}

void Broker::watch(net::ConnectionImpl& connection, const Link& link, std::string_view queue) {
  if (!consumers_.hasQueue(queue) && consumers_.queueCount() >= JobAdmission::kQueuesMax) {
    return violation(connection, "too many queues");
  }
  consumers_.watch(link.consumer, queue);
}

bool Broker::isQueueFull(std::string_view queue, std::size_t bytes) {
  if (jobAdmission_.admits(queue, bytes, journal_.applied())) return false;
  table_.counters().sendFull.add();
  return true;
}

void Broker::deliver(const JobStore::Job& job) {
  net::ConnectionImpl* const connection = linkOf(job.consumer);
  if (connection == nullptr) return;  // it is given back when it closes
  scratch_.clear();
  if (connection->state<Dialect>() == Dialect::Stormo) {
    encode({.kind = Kind::Job, .job = job.lease, .channel = job.queue, .payload = job.data},
           scratch_);
  } else {
    const std::string_view queue = job.queue;
    encodeWorkermanFrame(CommandType::Queue, {&queue, 1}, job.data, scratch_);
  }
  send(*connection, scratch_);
}

net::ConnectionImpl* Broker::linkOf(ConsumerId consumer) {
  const auto link = links_.find(consumer);
  net::ConnectionImpl* const connection =
      link == links_.end() ? nullptr : table_.find(link->second);
  return connection != nullptr && connection->isUsable() ? connection : nullptr;
}

void Broker::send(net::ConnectionImpl& connection, std::string_view frames) {
  connection.append(frames);
  table_.counters().messagesOut.add();
}

void Broker::violation(net::ConnectionImpl& connection, std::string_view reason,
                       std::string_view start) {
  const bool isOpen = connection.state<Link>().consumer != 0;
  const bool isStormo = isOpen && connection.state<Dialect>() == Dialect::Stormo;
  const char* const dialect = isStormo ? "stormo" : isOpen ? "workerman" : "unknown";
  violationLog_.write(connection, dialect, reason, table_.loop().now);
  if (isStormo) {
    scratch_.clear();
    if (const std::uint64_t sequence = sequenceAtStart(start); sequence != 0) {
      encode({.kind = Kind::Rejected, .cut = true, .sequence = sequence, .payload = reason},
             scratch_);
    }
    encode({.kind = Kind::Refused, .payload = reason}, scratch_);
    send(connection, scratch_);
  }
  table_.refuse(connection, CloseCode::ProtocolError, reason);
}

}  // namespace stormo::channel
