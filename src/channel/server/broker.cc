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

// An Event is longer than the Publish that it comes from; it must still fit into a frame.
constexpr std::size_t kPackageBytesMax = kFramePayloadBytesMax - kFrameOverheadBytesMax;

/// Takes the same time wherever the first difference is, and whatever the lengths: Hello's secret
/// is at most kSecretBytesMax long, and so is ours.
bool isSameSecret(std::string_view said, std::string_view secret) {
  std::array<char, kSecretBytesMax + 1> padded[2] = {};
  padded[0].back() = static_cast<char>(said.size());
  padded[1].back() = static_cast<char>(secret.size());
  said.copy(padded[0].data(), kSecretBytesMax);
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
             settings.secret.empty()),  // with a secret, the first word is awaited like a handshake
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
  endpoint_.kernelUnsentBytesMax = 0;    // links carry much, and there are few
  endpoint_.unacknowledgedTimeout = {};  // linkStallMax cuts them
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

std::string_view Broker::dialectName(Link::Speaks speaks) {
  switch (speaks) {
    case Link::Speaks::Nothing:
      return "unknown";
    case Link::Speaks::Workerman:
      return "workerman";
    case Link::Speaks::Stormo:
      return "stormo";
  }
  return "unknown";
}

bool Broker::expects(net::ConnectionImpl& peer, std::size_t frameBytes, std::string_view start) {
  if (peer.state<Link>().speaks != Link::Speaks::Nothing) return true;
  const bool mustBeHello = !settings_.secret.empty();
  if (start.empty()) return !mustBeHello || frameBytes <= kHelloFrameBytesMax;
  return dialectOf(start) == Dialect::Stormo ? frameBytes <= kHelloFrameBytesMax : !mustBeHello;
}

void Broker::onFrame(net::ConnectionImpl& peer, std::string_view payload) {
  Link& link = peer.state<Link>();
  switch (link.speaks) {
    case Link::Speaks::Stormo:
      onPacket(peer, link, payload);
      break;
    case Link::Speaks::Workerman:
      onCommand(peer, payload);
      break;
    case Link::Speaks::Nothing:
      onFirstFrame(peer, link, payload);
      break;
  }
  backPressure_.onFrame(peer);
}

void Broker::onFirstFrame(net::ConnectionImpl& peer, Link& link, std::string_view payload) {
  if (dialectOf(payload) == Dialect::Stormo) return onHello(peer, link, payload);
  if (!settings_.secret.empty())
    return violation(peer, "a link without a secret, where one is asked for");
  link.speaks = Link::Speaks::Workerman;
  onCommand(peer, payload);
}

void Broker::onClose(net::ConnectionImpl& peer) {
  const Link& link = peer.state<Link>();
  if (link.publisher != nullptr) {
    ProducerTable::leave(*link.publisher, peer.id.packed(), table_.loop().now);
  }
  acknowledger_.remove(peer);
  queues_.remove(peer.id.packed());
  backPressure_.onClose(peer);
}

void Broker::onHello(net::ConnectionImpl& peer, Link& link, std::string_view payload) {
  Packet hello;
  if (decode(payload, hello) != Decode::Ok) return violation(peer, "malformed packet");
  if (hello.kind != Kind::Hello) return refuseInWords(peer, "say Hello first");
  if (hello.version != kProtocolVersion)
    return refuseInWords(peer, "this server speaks version 2 of the protocol");
  if (!settings_.secret.empty() && !isSameSecret(hello.payload, settings_.secret)) {
    return refuseInWords(peer, "the secret is not the server's");
  }
  link.speaks = Link::Speaks::Stormo;
  link.producerId = hello.producerId;
  if (link.producerId != 0) enter(peer, link);
  if (peer.phase == net::Phase::Handshake) table_.open(peer);
  scratch_.clear();
  encode({.kind = Kind::Welcome,
          .version = kProtocolVersion,
          .epoch = router_.epoch(),
          .frameBytesMax = endpoint_.packageBytesMax},
         scratch_);
  send(peer, scratch_);
}

void Broker::enter(net::ConnectionImpl& peer, Link& link) {
  link.publisher = &producers_.enter(link.producerId, table_.loop().now);
  const ConnectionId former = std::exchange(link.publisher->link, peer.id.packed());
  // It has given that link up, whether we have seen its end or not. What may still come over it
  // will be said again over this one.
  if (net::ConnectionImpl* old = table_.find(former)) old->destroy();
}

void Broker::onResume(net::ConnectionImpl& peer, Link& link, const Packet& packet) {
  const std::vector<Router::Subscription> again = std::exchange(link.again, {});
  if (packet.epoch != router_.epoch()) return violation(peer, "a position in another life");
  if (packet.offset > router_.offset()) return violation(peer, "a position that is not there yet");
  if (router_.resume(peer, again, packet.offset)) return;
  scratch_.clear();
  encode({.kind = Kind::Gap, .epoch = router_.epoch(), .offset = router_.offset()}, scratch_);
  send(peer, scratch_);
}

bool Broker::isNew(Link& link, std::uint64_t sequence) {
  acknowledger_.onPublish(*link.acks, sequence);
  if (link.publisher == nullptr) return true;
  if (sequence <= link.publisher->taken) return false;
  link.publisher->taken = sequence;
  return true;
}

void Broker::reject(net::ConnectionImpl& peer, Link& link, std::uint64_t sequence,
                    std::string_view reason) {
  if (!isNew(link, sequence)) return;
  log::warning("a publish was rejected remote={} sequence={} reason=\"{}\"", peer.remoteAddress(),
               sequence, reason);
  table_.counters().badPeers.add();
  scratch_.clear();
  encode({.kind = Kind::Rejected, .sequence = sequence, .payload = reason}, scratch_);
  send(peer, scratch_);
}

void Broker::refuseInWords(net::ConnectionImpl& peer, std::string_view reason) {
  scratch_.clear();
  encode({.kind = Kind::Refused, .payload = reason}, scratch_);
  send(peer, scratch_);
  violation(peer, reason);
}

void Broker::onPacket(net::ConnectionImpl& peer, Link& link, std::string_view payload) {
  Packet packet;
  if (decode(payload, packet) != Decode::Ok) return violation(peer, "malformed packet", payload);
  switch (packet.kind) {
    case Kind::Publish:
      return onPublish(peer, link, packet);
    case Kind::IdempotentPublish:
      return onPublishToGroup(peer, link, packet);
    case Kind::HistoryRequest:
      return router_.requestHistory(peer, packet.channel, packet.epoch, packet.offset);
    case Kind::Subscribe:
      if (packet.again) {
        link.again.push_back({packet.space, std::string(packet.channel)});
        return;
      }
      return router_.subscribe(peer, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Unsubscribe:
      return router_.unsubscribe(peer, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Watch:
      return queues_.watch(peer.id.packed(), packet.channel);
    case Kind::Unwatch:
      return queues_.unwatch(peer.id.packed(), packet.channel);
    case Kind::Resume:
      return onResume(peer, link, packet);
    case Kind::Enqueue:
      return onEnqueue(peer, link, packet);
    case Kind::Reserve:
      return queues_.reserve(peer.id.packed());
    case Kind::Ping:
      scratch_.clear();
      encode({.kind = Kind::Pong}, scratch_);
      return send(peer, scratch_);
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
      return violation(peer, "not a client's word");
  }
}

void Broker::onPublish(net::ConnectionImpl& peer, Link& link, const Packet& packet) {
  if (packet.space == Space::Groups) return onPublishToGroup(peer, link, packet);
  if (packet.payloadKind != PayloadKind::Value || !isOneValue(packet.payload)) {
    return reject(peer, link, packet.sequence,
                  "an event that is no serialized value within bounds");
  }
  if (!isNew(link, packet.sequence)) return;
  const Origin origin{.producerId = link.producerId, .sequence = packet.sequence};
  if (packet.loop) return router_.publishLoop(origin, packet.channel, packet.payload);
  router_.publishEvent(origin, packet.channel, packet.payload);
}

void Broker::onPublishToGroup(net::ConnectionImpl& peer, Link& link, const Packet& packet) {
  if (packet.payloadKind == PayloadKind::Value)
    return reject(peer, link, packet.sequence, "a value, where a message was expected");
  if (!isNew(link, packet.sequence)) return;
  const SendId send{.session = packet.session, .number = packet.sendNumber};
  if (send.session != 0 && !sessions_.take(send, table_.loop().now)) return;
  router_.publishToGroup({.producerId = link.producerId, .sequence = packet.sequence},
                         packet.channel, messageIn(packet));
}

void Broker::onEnqueue(net::ConnectionImpl& peer, Link& link, const Packet& packet) {
  if (packet.payloadKind != PayloadKind::Value || !isOneValue(packet.payload)) {
    return reject(peer, link, packet.sequence, "a job that is no serialized value within bounds");
  }
  if (isNew(link, packet.sequence)) enqueue(packet.channel, packet.payload);
}

void Broker::onCommand(net::ConnectionImpl& peer, std::string_view payload) {
  if (decodeWorkerman(payload, command_) != Decode::Ok) return violation(peer, command_.reason);
  const ConsumerId consumer = peer.id.packed();
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
        router_.subscribe(peer, Dialect::Workerman, Space::Events, event);
      });
    case CommandType::Unsubscribe:
      return forEach([&](std::string_view event) {
        router_.unsubscribe(peer, Dialect::Workerman, Space::Events, event);
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
      return violation(peer, "not a client's word");
  }
}

void Broker::enqueue(std::string_view queue, std::string_view data) {
  if (!queues_.enqueue(queue, data)) table_.counters().sendFull.add();
}

void Broker::onQueueFull(std::string_view queue) {
  log::error(
      "a queue is full and refuses jobs queue=\"{}\" bytes_max={} (more consumers, or a larger "
      "queueBytesMax)",
      queue, settings_.queueBytesMax);
}

bool Broker::deliver(ConsumerId consumer, std::string_view queue, std::string_view data) {
  net::ConnectionImpl* peer = table_.find(consumer);
  if (peer == nullptr) return false;
  scratch_.clear();
  if (peer->state<Link>().speaks == Link::Speaks::Stormo) {
    encode({.kind = Kind::Job, .channel = queue, .payload = data}, scratch_);
  } else {
    scratch_.assign(kFrameHeaderBytes, '\0');
    encodeWorkerman(CommandType::Queue, {&queue, 1}, data, scratch_);
    encodeFrameHeader(scratch_.size() - kFrameHeaderBytes, scratch_.data());
  }
  send(*peer, scratch_);
  return true;
}

void Broker::send(net::ConnectionImpl& peer, std::string_view frames) {
  peer.append(frames);
  table_.counters().messagesOut.add();
}

void Broker::violation(net::ConnectionImpl& peer, std::string_view reason, std::string_view start) {
  const auto speaks = peer.state<Link>().speaks;
  violationLog_.write(peer, dialectName(speaks), reason, table_.loop().now);
  if (speaks == Link::Speaks::Stormo) {
    scratch_.clear();
    if (const std::uint64_t sequence = sequenceAtStart(start); sequence != 0) {
      encode({.kind = Kind::Rejected, .cut = true, .sequence = sequence, .payload = reason},
             scratch_);
    }
    encode({.kind = Kind::Refused, .payload = reason}, scratch_);
    send(peer, scratch_);
  }
  table_.refuse(peer, CloseCode::ProtocolError, reason);
}

}  // namespace stormo::channel
