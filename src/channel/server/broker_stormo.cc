// The broker's part of Stormo's dialect.
#include <utility>

#include "base/assert.h"
#include "channel/server/broker.h"
#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

/// True if the bytes are exactly one serialized value.
bool isOneValue(std::string_view bytes) { return php::serializedLength(bytes) == bytes.size(); }

}  // namespace

void Broker::onHello(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  Packet hello;
  if (decode(payload, hello) != Decode::Ok) return violation(connection, "malformed packet");
  if (hello.kind != Kind::Hello) return refuse(connection, "the first packet must be Hello");
  if (hello.version != kProtocolVersion)
    return refuse(connection, "this server implements protocol version 4");
  link.producerId = hello.producerId;
  if (!door_.needsProof()) return welcome(connection, link);
  link.challenge = randomChallenge();
  scratch_.clear();
  encode({.kind = Kind::Challenge, .payload = {link.challenge->data(), kChallengeBytes}}, scratch_);
  reactor_.output.sendNow(connection, scratch_);
}

void Broker::onProof(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  Packet proof;
  if (decode(payload, proof) != Decode::Ok) return violation(connection, "malformed packet");
  if (proof.kind != Kind::Proof) return refuse(connection, "the packet after Hello must be Proof");
  const ChallengeBytes challenge = *std::exchange(link.challenge, std::nullopt);
  const std::string_view sent(challenge.data(), challenge.size());
  if (!door_.accepts(sent, link.producerId, proof.payload)) return door_.refuseLater(connection);
  welcome(connection, link);
}

void Broker::welcome(net::ConnectionImpl& connection, Link& link) {
  open(connection, link, Dialect::Stormo, link.producerId != 0 ? link.producerId : randomId());
  scratch_.clear();
  encode({.kind = Kind::Welcome,
          .version = kProtocolVersion,
          .epoch = state_.epoch(),
          .offset = state_.offset(),
          .frameBytesMax = endpoint_.packageBytesMax,
          .jobCount = consumers_.jobCountOf(link.consumer)},
         scratch_);
  send(connection, scratch_);
  if (journal_.isBlocked()) sendPong(connection);
  consumers_.deliverAgain(link.consumer);
}

void Broker::sendPong(net::ConnectionImpl& connection) {
  scratch_.clear();
  encode({.kind = Kind::Pong, .blocked = journal_.isBlocked()}, scratch_);
  send(connection, scratch_);
}

void Broker::sendPongs() {
  for (const auto& [consumer, id] : links_) {
    net::ConnectionImpl* const connection = linkOf(consumer);
    if (connection == nullptr || connection->state<Dialect>() != Dialect::Stormo) continue;
    sendPong(*connection);
  }
}

void Broker::onResume(net::ConnectionImpl& connection, Link& link, const Packet& packet) {
  for (const std::string& each : std::exchange(link.again, {})) {
    Packet again;
    STORMO_ASSERT(decode(each, again) == Decode::Ok);
    subscribe(connection, Dialect::Stormo, again.space, again.channel);
  }
  // A position that this log has not given: what the link has missed is unknown.
  if (!isKnown(packet)) return router_.sendGap(connection);
  // The latest event may have been the first of two, so its offset is replayed, too.
  const bool reachesIt = packet.offset > 0 && state_.window().reaches(packet.offset - 1);
  slowLinks_.resume(connection, packet.offset - (reachesIt ? 1 : 0));
}

bool Broker::isKnown(const Packet& position) const {
  return position.epoch == state_.epoch() && (node_ != 0 || position.offset <= state_.offset());
}

void Broker::onHistoryRequest(net::ConnectionImpl& connection, const Packet& packet) {
  const bool isAccepted =
      slowLinks_.whenCaughtUp(connection, [this, &connection, group = std::string(packet.channel),
                                           epoch = packet.epoch, offset = packet.offset] {
        router_.replyHistory(connection, group, epoch, offset, journal_.now(), node_ != 0);
      });
  if (!isAccepted) violation(connection, "too many history requests");
}

void Broker::reject(net::ConnectionImpl& connection, Link& link, std::uint64_t sequence,
                    std::string_view reason) {
  log::warning("a publish was rejected remote={} sequence={} reason=\"{}\"",
               connection.remoteAddress(), sequence, reason);
  table_.counters().badPeers.add();
  scratch_.clear();
  encode({.kind = Kind::Rejected, .sequence = sequence, .payload = reason}, scratch_);
  if (link.producerId == 0) return send(connection, scratch_);
  journal_.addPublish(link.acks, connection, link.producerId, sequence, framePayload(scratch_));
}

void Broker::onRejected(std::uint64_t producerId, std::uint64_t sequence, std::string_view reason) {
  net::ConnectionImpl* const connection = linkOf(producerId);
  if (connection == nullptr) return;  // it will resend it
  scratch_.clear();
  encode({.kind = Kind::Rejected, .sequence = sequence, .payload = reason}, scratch_);
  send(*connection, scratch_);
}

void Broker::onReceipt(std::uint64_t producerId, const Packet& publish, std::uint64_t offset,
                       bool isDuplicate) {
  net::ConnectionImpl* const connection = linkOf(producerId);
  if (connection == nullptr) return;  // it will resend it
  const bool isEvent = publish.space == Space::Events;
  scratch_.clear();
  encode({.kind = Kind::Receipt,
          .duplicate = isDuplicate,
          .epoch = state_.epoch(),
          .offset = offset,
          .sequence = publish.sequence,
          .receivers = isEvent ? subscriberCount(publish.channel) : 0},
         scratch_);
  send(*connection, scratch_);
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
    case Kind::IdempotentPublish:
    case Kind::Retain:
    case Kind::Enqueue:
    case Kind::Finish:
    case Kind::Return:
      return onNumbered(connection, link, packet, payload);
    case Kind::HistoryRequest:
    case Kind::Unsubscribe:
    case Kind::Reserve:
    case Kind::Ping:
      if (!defers(connection, link, payload)) onDependent(connection, link, packet);
      return;
    case Kind::Subscribe:
      if (packet.again) {
        link.again.emplace_back(payload);
        return;
      }
      return subscribe(connection, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Watch:
      return watch(connection, link, packet.channel);
    case Kind::Unwatch:
      return consumers_.unwatch(link.consumer, packet.channel);
    case Kind::Resume:
      return onResume(connection, link, packet);
    case Kind::Hello:
    case Kind::Challenge:
    case Kind::Proof:
    case Kind::Welcome:
    case Kind::Refused:
    case Kind::Event:
    case Kind::Ack:
    case Kind::Receipt:
    case Kind::Rejected:
    case Kind::Job:
    case Kind::Gap:
    case Kind::HistoryReply:
    case Kind::Interest:
    case Kind::Pong:
      return violation(connection, "a packet that only the server sends");
  }
}

void Broker::onDependent(net::ConnectionImpl& connection, const Link& link, const Packet& packet) {
  switch (packet.kind) {
    case Kind::HistoryRequest:
      return onHistoryRequest(connection, packet);
    case Kind::Unsubscribe:
      return unsubscribe(connection, Dialect::Stormo, packet.space, packet.channel);
    case Kind::Reserve:
      return consumers_.reserve(link.consumer);
    default:
      return sendPong(connection);
  }
}

/// Null if a numbered packet may become a record, else the reason why not.
const char* Broker::refusalOf(const Packet& packet) {
  const bool isValue = packet.payloadKind == PayloadKind::Value;
  switch (packet.kind) {
    case Kind::Enqueue:
      if (!isValue || !isOneValue(packet.payload)) {
        return "a job that is not one serialized value within the limits";
      }
      return isQueueFull(packet.channel, packet.payload.size()) ? "the queue is full" : nullptr;
    case Kind::Finish:
    case Kind::Return:
      return nullptr;
    case Kind::Retain:
      if (state_.retained().bytes() > Retained::kBytesMax) return "too much is retained";
      break;
    default:
      break;
  }
  if (packet.space == Space::Groups) return isValue ? "a value instead of a message" : nullptr;
  if (isValue && isOneValue(packet.payload)) return nullptr;
  return "an event that is not one serialized value within the limits";
}

void Broker::onNumbered(net::ConnectionImpl& connection, Link& link, const Packet& packet,
                        std::string_view payload) {
  if (const char* const reason = refusalOf(packet)) {
    return reject(connection, link, packet.sequence, reason);
  }
  const bool isOfJob = packet.kind == Kind::Finish || packet.kind == Kind::Return;
  const std::uint64_t sender = isOfJob ? link.consumer : link.producerId;
  journal_.addPublish(link.acks, connection, sender, packet.sequence, payload);
  if (packet.kind == Kind::Enqueue) {
    jobAdmission_.added(packet.channel, packet.payload.size(), journal_.added());
  }
}

}  // namespace stormo::channel
