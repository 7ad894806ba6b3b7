#include "channel/server/broker.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

// An Event is longer than the Publish that it comes from, and must still fit into a frame.
constexpr std::size_t kPackageBytesMax = kFramePayloadBytesMax - kFrameOverheadBytesMax;

/// Takes the same time wherever the first difference is. Both secrets have at most kSecretBytesMax
/// bytes.
bool isSameSecret(std::string_view given, std::string_view secret) {
  std::array<char, kSecretBytesMax + 1> padded[2] = {};
  padded[0].back() = static_cast<char>(given.size());
  padded[1].back() = static_cast<char>(secret.size());
  given.copy(padded[0].data(), kSecretBytesMax);
  secret.copy(padded[1].data(), kSecretBytesMax);
  return CRYPTO_memcmp(padded[0].data(), padded[1].data(), padded[0].size()) == 0;
}

/// True if the bytes are exactly one serialized value.
bool isOneValue(std::string_view bytes) { return php::serializedLength(bytes) == bytes.size(); }

}  // namespace

Broker::Broker(EventLoop& loop, const Server& settings)
    : table_(net::ConnectionTable::of(loop)),
      settings_(settings),
      codec_(*this,
             settings.secret.empty()),  // with a secret, the first frame is a handshake
      backPressure_(table_, endpoint_, settings.linkStallMax),
      log_(settings.replayBytesMax, settings.replayAgeMax),
      history_(settings.history),
      router_(loop, settings.groupEvent, log_, history_),
      acknowledger_(net::Reactor::of(loop), router_.offset(), settings.linkStallMax),
      queues_(settings.queueBytesMax, *this) {
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
    link.state<Link>().acks = &acknowledger_.add(net::ConnectionImpl::of(link));
  };
  endpoint_.handlers.onClose = [this](Connection& link) { onClose(net::ConnectionImpl::of(link)); };
  endpoint_.handlers.onBufferFull = [this](Connection& link) {
    backPressure_.onFull(net::ConnectionImpl::of(link));
  };
  endpoint_.handlers.onBufferDrain = [this](Connection& link) {
    backPressure_.onDrain(net::ConnectionImpl::of(link));
  };
}

void Broker::save(StateWriter& state) const {
  router_.save(state);
  log_.save(state);
  history_.save(state);
  producers_.save(state, table_.loop().now);
  sessions_.save(state);
}

void Broker::load(StateReader& state) {
  router_.load(state);
  log_.load(state, table_.loop().now);
  history_.load(state, table_.loop().now);
  producers_.load(state);
  sessions_.load(state);
}

std::string_view Broker::dialectName(LinkDialect dialect) {
  switch (dialect) {
    case LinkDialect::Unknown:
      return "unknown";
    case LinkDialect::Workerman:
      return "workerman";
    case LinkDialect::Stormo:
      return "stormo";
  }
  return "unknown";
}

bool Broker::expects(net::ConnectionImpl& connection, std::size_t frameBytes,
                     std::string_view start) {
  if (connection.state<Link>().dialect != LinkDialect::Unknown) return true;
  const bool mustBeHello = !settings_.secret.empty();
  if (start.empty()) return !mustBeHello || frameBytes <= kHelloFrameBytesMax;
  return dialectOf(start) == Dialect::Stormo ? frameBytes <= kHelloFrameBytesMax : !mustBeHello;
}

void Broker::onFrame(net::ConnectionImpl& connection, std::string_view payload) {
  Link& link = connection.state<Link>();
  switch (link.dialect) {
    case LinkDialect::Stormo:
      onPacket(connection, link, payload);
      break;
    case LinkDialect::Workerman:
      onCommand(connection, payload);
      break;
    case LinkDialect::Unknown:
      onFirstFrame(connection, link, payload);
      break;
  }
  backPressure_.onFrame(connection);
}

void Broker::onFirstFrame(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  if (dialectOf(payload) == Dialect::Stormo) return onHello(connection, link, payload);
  if (!settings_.secret.empty()) return violation(connection, "a link without the required secret");
  link.dialect = LinkDialect::Workerman;
  onCommand(connection, payload);
}

void Broker::onClose(net::ConnectionImpl& connection) {
  const Link& link = connection.state<Link>();
  if (link.producer != nullptr) {
    ProducerTable::leave(*link.producer, connection.id.packed(), table_.loop().now);
  }
  acknowledger_.remove(connection);
  queues_.remove(connection.id.packed());
  backPressure_.onClose(connection);
}

void Broker::onHello(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  Packet hello;
  if (decode(payload, hello) != Decode::Ok) return violation(connection, "malformed packet");
  if (hello.kind != Kind::Hello) return refuse(connection, "the first packet must be Hello");
  if (hello.version != kProtocolVersion)
    return refuse(connection, "this server implements protocol version 2");
  if (!settings_.secret.empty() && !isSameSecret(hello.payload, settings_.secret)) {
    return refuse(connection, "wrong secret");
  }
  link.dialect = LinkDialect::Stormo;
  link.producerId = hello.producerId;
  if (link.producerId != 0) enter(connection, link);
  if (connection.phase == net::Phase::Handshake) table_.open(connection);
  scratch_.clear();
  encode({.kind = Kind::Welcome,
          .version = kProtocolVersion,
          .epoch = router_.epoch(),
          .frameBytesMax = endpoint_.packageBytesMax},
         scratch_);
  send(connection, scratch_);
}

void Broker::enter(net::ConnectionImpl& connection, Link& link) {
  link.producer = &producers_.enter(link.producerId, table_.loop().now);
  const ConnectionId former = std::exchange(link.producer->link, connection.id.packed());
  // The producer has abandoned its earlier link, whether or not its end has arrived here. It
  // resends on this link whatever the earlier one still carries.
  if (net::ConnectionImpl* old = table_.find(former)) old->destroy();
}

void Broker::onResume(net::ConnectionImpl& connection, Link& link, const Packet& packet) {
  const std::vector<Router::Subscription> again = std::exchange(link.again, {});
  if (packet.epoch != router_.epoch()) return violation(connection, "a position of another epoch");
  if (packet.offset > router_.offset())
    return violation(connection, "a position after the latest event");
  if (router_.resume(connection, again, packet.offset)) return;
  scratch_.clear();
  encode({.kind = Kind::Gap, .epoch = router_.epoch(), .offset = router_.offset()}, scratch_);
  send(connection, scratch_);
}

bool Broker::isNew(Link& link, std::uint64_t sequence) {
  acknowledger_.onPublish(*link.acks, sequence);
  if (link.producer == nullptr) return true;
  if (sequence <= link.producer->taken) return false;
  link.producer->taken = sequence;
  return true;
}

void Broker::reject(net::ConnectionImpl& connection, Link& link, std::uint64_t sequence,
                    std::string_view reason) {
  if (!isNew(link, sequence)) return;
  log::warning("a publish was rejected remote={} sequence={} reason=\"{}\"",
               connection.remoteAddress(), sequence, reason);
  table_.counters().badPeers.add();
  scratch_.clear();
  encode({.kind = Kind::Rejected, .sequence = sequence, .payload = reason}, scratch_);
  send(connection, scratch_);
}

void Broker::refuse(net::ConnectionImpl& connection, std::string_view reason) {
  scratch_.clear();
  encode({.kind = Kind::Refused, .payload = reason}, scratch_);
  send(connection, scratch_);
  violation(connection, reason);
}

void Broker::onPacket(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  Packet packet;
  if (decode(payload, packet) != Decode::Ok)
    return violation(connection, "malformed packet", payload);
  switch (packet.kind) {
    case Kind::Publish:
      return onPublish(connection, link, packet);
    case Kind::IdempotentPublish:
      return onPublishToGroup(connection, link, packet);
    case Kind::HistoryRequest:
      return router_.replyHistory(connection, packet.channel, packet.epoch, packet.offset);
    case Kind::Subscribe:
      if (packet.again) {
        link.again.push_back({packet.space, std::string(packet.channel)});
        return;
      }
      return router_.subscribe(connection, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Unsubscribe:
      return router_.unsubscribe(connection, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Watch:
      return queues_.watch(connection.id.packed(), packet.channel);
    case Kind::Unwatch:
      return queues_.unwatch(connection.id.packed(), packet.channel);
    case Kind::Resume:
      return onResume(connection, link, packet);
    case Kind::Enqueue:
      return onEnqueue(connection, link, packet);
    case Kind::Reserve:
      return queues_.reserve(connection.id.packed());
    case Kind::Ping:
      scratch_.clear();
      encode({.kind = Kind::Pong}, scratch_);
      return send(connection, scratch_);
    case Kind::Hello:
    case Kind::Welcome:
    case Kind::Refused:
    case Kind::Event:
    case Kind::Ack:
    case Kind::Rejected:
    case Kind::Job:
    case Kind::Gap:
    case Kind::HistoryReply:
    case Kind::Pong:
      return violation(connection, "a packet that only the server sends");
  }
}

void Broker::onPublish(net::ConnectionImpl& connection, Link& link, const Packet& packet) {
  if (packet.space == Space::Groups) return onPublishToGroup(connection, link, packet);
  if (packet.payloadKind != PayloadKind::Value || !isOneValue(packet.payload)) {
    return reject(connection, link, packet.sequence,
                  "an event that is not one serialized value within the limits");
  }
  if (!isNew(link, packet.sequence)) return;
  const Origin origin{.producerId = link.producerId, .sequence = packet.sequence};
  if (packet.loop) return router_.publishLoop(origin, packet.channel, packet.payload);
  router_.publishEvent(origin, packet.channel, packet.payload);
}

void Broker::onPublishToGroup(net::ConnectionImpl& connection, Link& link, const Packet& packet) {
  if (packet.payloadKind == PayloadKind::Value)
    return reject(connection, link, packet.sequence, "a value instead of a message");
  if (!isNew(link, packet.sequence)) return;
  const SendId send{.session = packet.session, .number = packet.sendNumber};
  if (send.session != 0 && !sessions_.take(send, table_.loop().now)) return;
  router_.publishToGroup({.producerId = link.producerId, .sequence = packet.sequence},
                         packet.channel, messageIn(packet));
}

void Broker::onEnqueue(net::ConnectionImpl& connection, Link& link, const Packet& packet) {
  if (packet.payloadKind != PayloadKind::Value || !isOneValue(packet.payload)) {
    return reject(connection, link, packet.sequence,
                  "a job that is not one serialized value within the limits");
  }
  if (isNew(link, packet.sequence)) enqueue(packet.channel, packet.payload);
}

void Broker::onCommand(net::ConnectionImpl& connection, std::string_view payload) {
  if (decodeWorkerman(payload, command_) != Decode::Ok)
    return violation(connection, command_.reason);
  const ConsumerId consumer = connection.id.packed();
  const auto forEach = [this](auto act) {
    for (const std::string_view name : command_.channels) act(name);
  };
  switch (command_.type) {
    case CommandType::Publish:
      return forEach(
          [&](std::string_view event) { router_.publishEvent({}, event, command_.data); });
    case CommandType::PublishLoop:
      return forEach(
          [&](std::string_view event) { router_.publishLoop({}, event, command_.data); });
    case CommandType::Subscribe:
      return forEach([&](std::string_view event) {
        router_.subscribe(connection, Dialect::Workerman, Space::Events, event);
      });
    case CommandType::Unsubscribe:
      return forEach([&](std::string_view event) {
        router_.unsubscribe(connection, Dialect::Workerman, Space::Events, event);
      });
    case CommandType::Watch:
      return forEach([&](std::string_view queue) { queues_.watch(consumer, queue); });
    case CommandType::Unwatch:
      return forEach([&](std::string_view queue) { queues_.unwatch(consumer, queue); });
    case CommandType::Enqueue:
      return forEach([&](std::string_view queue) { enqueue(queue, command_.data); });
    case CommandType::Reserve:
      return queues_.reserve(consumer);
    case CommandType::Ping:
      return;
    case CommandType::Event:
    case CommandType::Queue:
      return violation(connection, "a packet that only the server sends");
  }
}

void Broker::enqueue(std::string_view queue, std::string_view data) {
  if (!queues_.enqueue(queue, data)) table_.counters().sendFull.add();
}

void Broker::onQueueFull(std::string_view queue) {
  log::error(
      "a queue is full and rejects jobs queue=\"{}\" bytes_max={} (add consumers, or raise "
      "queueBytesMax)",
      queue, settings_.queueBytesMax);
}

bool Broker::deliver(ConsumerId consumer, std::string_view queue, std::string_view data) {
  net::ConnectionImpl* connection = table_.find(consumer);
  if (connection == nullptr) return false;
  scratch_.clear();
  if (connection->state<Link>().dialect == LinkDialect::Stormo) {
    encode({.kind = Kind::Job, .channel = queue, .payload = data}, scratch_);
  } else {
    scratch_.assign(kFrameHeaderBytes, '\0');
    encodeWorkerman(CommandType::Queue, {&queue, 1}, data, scratch_);
    encodeFrameHeader(scratch_.size() - kFrameHeaderBytes, scratch_.data());
  }
  send(*connection, scratch_);
  return true;
}

void Broker::send(net::ConnectionImpl& connection, std::string_view frames) {
  connection.append(frames);
  table_.counters().messagesOut.add();
}

void Broker::violation(net::ConnectionImpl& connection, std::string_view reason,
                       std::string_view start) {
  const auto dialect = connection.state<Link>().dialect;
  violationLog_.write(connection, dialectName(dialect), reason, table_.loop().now);
  if (dialect == LinkDialect::Stormo) {
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
