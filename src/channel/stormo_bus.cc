#include "channel/stormo_bus.h"

#include <random>
#include <stdexcept>

#include "protocol/php_serialize.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

std::uint64_t randomId() {
  std::random_device source;
  return ((std::uint64_t{source()} << 32) | source()) | 1;  // zero is nobody
}

}  // namespace

StormoBus::StormoBus(SocketUrl url, const BusOptions& options)
    : LinkBus(std::move(url), options), publisherId_(randomId()) {
  if (options.secret.size() > kSecretBytesMax) {
    throw std::invalid_argument("the Channel's secret is longer than 255 bytes");
  }
}

void StormoBus::onLinkMade() {
  frames_.clear();
  appendHello(publisherId_, options().secret, frames_);
  send(frames_);
}

void StormoBus::onPayload(std::string_view payload) {
  Packet packet;
  if (decode(payload, packet) != Decode::Ok) return violation("malformed packet");
  if (!isConnected() && packet.kind != Kind::Welcome && packet.kind != Kind::Refused) {
    return violation("no Welcome");
  }
  switch (packet.kind) {
    case Kind::Event:
      return onEventPacket(packet);
    case Kind::Job:
      if (packet.payloadKind != PayloadKind::Value) return violation("a job that is no value");
      return jobReceived(packet.channel, packet.payload);
    case Kind::Pong:
      return;
    case Kind::Welcome:
      if (isConnected() || packet.version != kProtocolVersion)
        return violation("a Welcome that does not fit");
      refusalReported_ = false;
      return becomeUp();
    case Kind::Refused:
      return refused(packet.payload);
    case Kind::Hello:
    case Kind::Subscribe:
    case Kind::Unsubscribe:
    case Kind::Publish:
    case Kind::Ack:
    case Kind::Watch:
    case Kind::Unwatch:
    case Kind::Enqueue:
    case Kind::Reserve:
    case Kind::Gap:
    case Kind::Ping:
      return violation("not this server's word");
  }
}

void StormoBus::onEventPacket(const Packet& packet) {
  if (packet.space == Space::Groups) {
    if (packet.payloadKind == PayloadKind::Value) return violation("a value to a group");
    const bool isText = packet.payloadKind == PayloadKind::Text;
    return groupMessageReceived(packet.channel,
                                {packet.payload, isText ? MessageType::Text : MessageType::Binary});
  }
  if (packet.payloadKind != PayloadKind::Value) return violation("an event that is no value");
  eventReceived(packet.channel, packet.payload);
}

void StormoBus::refused(std::string_view reason) {
  if (!std::exchange(refusalReported_, true)) {
    log::error("the Channel refuses this process url={} reason=\"{}\"", url().text(), reason);
  }
  violation("refused by the server");
}

template <typename MakeHeader>
PublishStatus StormoBus::publishFrames(const Names& names, const Value& data,
                                       const MakeHeader& headerFor) {
  data_.clear();
  php::serialize(data, data_);
  std::size_t bytes = 0;
  for (const std::string& name : names) bytes += headerBytes(headerFor(name)) + data_.size();
  char* room = place(bytes);  // for all of them, or none
  if (room == nullptr) return PublishStatus::Full;
  for (const std::string& name : names) {
    ++sequence_;
    room = encodeHeader(headerFor(name), data_.size(), room);
    room += data_.copy(room, data_.size());
  }
  return PublishStatus::Accepted;
}

PublishStatus StormoBus::publish(const Names& events, const Value& data, bool loop) {
  return publishFrames(events, data, [this, loop](std::string_view event) {
    return PublishHeader{.channel = event, .sequence = sequence_, .loop = loop};
  });
}

PublishStatus StormoBus::enqueue(const Names& queues, const Value& data) {
  return publishFrames(queues, data, [this](std::string_view queue) {
    return EnqueueHeader{.channel = queue, .sequence = sequence_};
  });
}

PublishStatus StormoBus::publishToGroup(std::string_view name, Message message) {
  const PublishHeader header{
      .channel = name,
      .sequence = sequence_ + 1,
      .payloadKind = message.isBinary() ? PayloadKind::Binary : PayloadKind::Text,
      .space = Space::Groups,
  };
  char* const frame = place(headerBytes(header) + message.data.size());
  if (frame == nullptr) return PublishStatus::Full;
  message.data.copy(encodeHeader(header, message.data.size(), frame), message.data.size());
  ++sequence_;
  return PublishStatus::Accepted;
}

void StormoBus::subscribeGroup(std::string_view name) {
  if (groups_.find(name) != groups_.end()) return;
  groups_.emplace(name);
  if (!isConnected()) return;
  frames_.clear();
  appendSubscribe(name, frames_, Space::Groups);
  send(frames_);
}

void StormoBus::unsubscribeGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return;
  groups_.erase(found);
  if (!isConnected()) return;
  frames_.clear();
  appendUnsubscribe(name, frames_, Space::Groups);
  send(frames_);
}

void StormoBus::sayGroups(std::string& out) {
  for (const std::string& group : groups_) appendSubscribe(group, out, Space::Groups);
}

void StormoBus::saySubscribe(const Names& events, std::string& out) {
  for (const std::string& event : events) appendSubscribe(event, out);
}

void StormoBus::sayUnsubscribe(const Names& events, std::string& out) {
  for (const std::string& event : events) appendUnsubscribe(event, out);
}

void StormoBus::sayWatch(const Names& queues, std::string& out) {
  for (const std::string& queue : queues) appendWatch(queue, out);
}

void StormoBus::sayUnwatch(const Names& queues, std::string& out) {
  for (const std::string& queue : queues) appendUnwatch(queue, out);
}

}  // namespace stormo::channel
