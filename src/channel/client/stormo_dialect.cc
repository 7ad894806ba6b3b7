#include "channel/client/stormo_dialect.h"

#include <algorithm>
#include <stdexcept>

#include "channel/client/client_link.h"
#include "event/loop_impl.h"
#include "protocol/channel/proof.h"
#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

Kind kindOf(LinkRequest request) {
  // In the order of the enumeration.
  constexpr Kind kKinds[] = {Kind::Subscribe, Kind::Unsubscribe, Kind::Watch,
                             Kind::Unwatch,   Kind::Reserve,     Kind::Ping};
  return kKinds[static_cast<std::size_t>(request)];
}

}  // namespace

StormoDialect::StormoDialect(ClientLink& link)
    : ClientDialect(link),
      producerId_(randomId()),
      unacked_(link.options().unackedBytesMax),
      frameBytesMax_(link.options().frameBytesMax) {
  if (link.options().secret.size() > kSecretBytesMax) {
    throw std::invalid_argument("the Channel's secret is longer than 255 bytes");
  }
}

StormoDialect::~StormoDialect() {
  if (askAgain_ != 0 && EventLoop::currentOrNull() != nullptr) Timer::cancel(askAgain_);
}

GroupMessage StormoDialect::groupMessage(const Packet& event) {
  return {.group = event.channel,
          .offset = event.offset,
          .message = messageIn(event),
          .except = event.except};
}

void StormoDialect::onConnection() {
  frames_.clear();
  encode({.kind = Kind::Hello, .version = kProtocolVersion, .producerId = producerId_}, frames_);
  link().send(frames_);
}

void StormoDialect::onChallenge(const Packet& packet) {
  const std::string& secret = link().options().secret;
  if (link().isConnected() || packet.payload.size() != kChallengeBytes) {
    return link().violation("a Challenge that does not fit");
  }
  if (secret.empty()) return refused("it requires a secret, and this process has none");
  const std::string proof = proofOf(secret, packet.payload, producerId_);
  link().send(encode({.kind = Kind::Proof, .payload = proof}));
}

void StormoDialect::onFrame(std::string_view payload) {
  Packet packet;
  if (decode(payload, packet) != Decode::Ok) return link().violation("malformed packet");
  const bool isOpening = packet.kind == Kind::Welcome || packet.kind == Kind::Refused ||
                         packet.kind == Kind::Challenge;
  if (!link().isConnected() && !isOpening) return link().violation("no Welcome");
  switch (packet.kind) {
    case Kind::Event:
      return onEventPacket(packet);
    case Kind::Job:
      return onJobPacket(packet);
    case Kind::Pong:
      return link().setBlocked(packet.blocked);
    case Kind::Welcome:
      return onWelcome(packet);
    case Kind::Ack:
      return onAck(packet);
    case Kind::Receipt:
      return onReceiptPacket(packet);
    case Kind::Rejected:
      return onRejectedPacket(packet);
    case Kind::Gap:
      return onGapPacket(packet);
    case Kind::HistoryReply:
      return onHistoryReply(packet);
    case Kind::Refused:
      return refused(packet.payload);
    case Kind::Challenge:
      return onChallenge(packet);
    case Kind::Hello:
    case Kind::Proof:
    case Kind::Subscribe:
    case Kind::Unsubscribe:
    case Kind::Publish:
    case Kind::IdempotentPublish:
    case Kind::Retain:
    case Kind::Watch:
    case Kind::Unwatch:
    case Kind::Enqueue:
    case Kind::Reserve:
    case Kind::Resume:
    case Kind::HistoryRequest:
    case Kind::Finish:
    case Kind::Return:
    case Kind::Interest:
    case Kind::Ping:
      return link().violation("not this server's word");
  }
}

void StormoDialect::onWelcome(const Packet& packet) {
  if (link().isConnected() || packet.version != kProtocolVersion || packet.epoch == 0 ||
      packet.frameBytesMax == 0) {
    return link().violation("a Welcome that does not fit");
  }
  refusalReported_ = false;
  frameBytesMax_ = packet.frameBytesMax;
  dropTooLong();
  jobsOnTheWay_ = packet.jobCount;
  const bool wasLinked = cursor_.epoch() != 0;
  const bool isWhole = cursor_.begin(packet.epoch);
  resumes_ = wasLinked && isWhole;
  if (!resumes_) cursor_.moveTo(packet.offset);
  if (!isWhole) {  // the leases are of another log
    jobs_.clear();
    jobNumbersBegin_ = highestJobNumber_;
  }
  link().becomeUp();
  if (!isWhole) reportGap("the log begins a new epoch");
}

void StormoDialect::onAck(const Packet& packet) {
  if (packet.sequence > sequence_) return link().violation("an Ack for what was not published");
  acknowledged_ = std::max(acknowledged_, packet.sequence);
  unacked_.acknowledge(packet.sequence);
  std::erase_if(jobs_,
                [this](const auto& job) { return job.second != 0 && job.second <= acknowledged_; });
  released();
}

void StormoDialect::released() {
  if (unacked_.empty()) acknowledged_ = sequence_;  // what was dropped is acknowledged by nobody
  unfinished_.set(!unacked_.empty());
  link().call("onAcknowledged", link().onAcknowledged);
  if (unacked_.isRelaxed()) link().drained();
}

void StormoDialect::onRejectedPacket(const Packet& packet) {
  if (packet.sequence == 0 || packet.sequence > sequence_) {
    return link().violation("a Rejected for what was not published");
  }
  // Bytes may be damaged on their way, once. What cuts the second link as well would cut each one.
  if (packet.cut && std::exchange(cutAt_, packet.sequence) != packet.sequence) {
    return log::warning(
        "the Channel cuts the link at a publish, which is sent once more url={} "
        "sequence={} reason=\"{}\"",
        link().url().text(), packet.sequence, packet.payload);
  }
  unacked_.removeIf(
      [&](std::uint64_t sequence, std::size_t) { return sequence == packet.sequence; });
  dropped(packet.sequence, packet.payload);
  released();
}

void StormoDialect::dropTooLong() {
  std::vector<std::uint64_t> sequences;
  unacked_.removeIf([&](std::uint64_t sequence, std::size_t frameBytes) {
    if (isTooLong(frameBytes)) sequences.push_back(sequence);
    return isTooLong(frameBytes);
  });
  for (const std::uint64_t sequence : sequences) dropped(sequence, "longer than it accepts");
  if (!sequences.empty()) released();
}

void StormoDialect::dropped(std::uint64_t sequence, std::string_view reason) {
  log::error(
      "a message was dropped: the Channel does not accept it url={} sequence={} reason=\"{}\"",
      link().url().text(), sequence, reason);
  link().call("onRejected", link().onRejected, sequence, reason);
  endReceipt(sequence, Error{std::make_error_code(std::errc::message_size), "publish"});
}

void StormoDialect::onGapPacket(const Packet& packet) {
  if (packet.epoch != cursor_.epoch()) return link().violation("a Gap of another epoch");
  cursor_.moveTo(packet.offset);
  reportGap("this process was away from the Channel for too long");
}

void StormoDialect::reportGap(std::string_view why) {
  log::warning("events were lost: {} url={}", why, link().url().text());
  link().call("onGap", link().onGap);
}

void StormoDialect::onEventPacket(const Packet& packet) {
  if (packet.epoch != cursor_.epoch()) return link().violation("an event of another epoch");
  const bool isForOne = packet.offset == 0;  // once sent, it is not replayed
  if (!isForOne && !cursor_.take(packet.offset, packet.derived)) return;
  const bool isValue = packet.payloadKind == PayloadKind::Value;
  if (packet.space == Space::Groups) {
    if (isValue) return link().violation("a value to a group");
    return link().call("onGroupMessage", link().onGroupMessage, groupMessage(packet));
  }
  if (!isValue) return link().violation("an event that is no value");
  link().eventReceived(packet.channel, packet.payload);
}

void StormoDialect::refused(std::string_view reason) {
  if (!std::exchange(refusalReported_, true)) {
    log::error("the Channel refuses this process url={} reason=\"{}\"", link().url().text(),
               reason);
  }
  link().drop("refused by the server");
}

char* StormoDialect::place(std::size_t bytes) {
  if (unacked_.hasRoom(bytes)) return unacked_.extend(bytes);
  LoopImpl::current().counters().sendFull.add();
  link().owesDrain();
  return nullptr;
}

void StormoDialect::placed(std::size_t bytes) {
  if (link().isConnected()) link().send(unacked_.last(bytes));
  unfinished_.set(!unacked_.empty());
}

PublishStatus StormoDialect::publishFrames(const Names& names, const Value& data, Packet publish) {
  if (!php::isWithin(data, {})) return PublishStatus::Refused;
  data_.clear();
  php::serialize(data, data_);
  std::size_t bytes = 0;
  for (const std::string& name : names) {
    publish.channel = name;
    const std::size_t frameBytes = headerBytes(publish) + data_.size();
    if (isTooLong(frameBytes)) return PublishStatus::Refused;
    bytes += frameBytes;
  }
  char* room = place(bytes);  // for all of them, or none
  if (room == nullptr) return PublishStatus::Full;
  for (const std::string& name : names) {
    publish.sequence = ++sequence_;
    publish.channel = name;
    room = encodeHeader(publish, data_.size(), room);
    room += data_.copy(room, data_.size());
  }
  placed(bytes);
  return PublishStatus::Accepted;
}

PublishStatus StormoDialect::publish(const Names& events, const Value& data, bool toOne) {
  return publishFrames(events, data, {.kind = Kind::Publish, .loop = toOne});
}

PublishStatus StormoDialect::enqueue(const Names& queues, const Value& data) {
  return publishFrames(queues, data, {.kind = Kind::Enqueue});
}

Packet StormoDialect::groupPublish(std::string_view name, Message message, SendId send) {
  return {.kind = send.session != 0 ? Kind::IdempotentPublish : Kind::Publish,
          .payloadKind = payloadKindOf(message),
          .space = Space::Groups,
          .session = send.session,
          .sendNumber = send.number,
          .channel = name,
          .payload = message.data};
}

PublishStatus StormoDialect::publishFrame(Packet& publish) {
  publish.sequence = sequence_ + 1;
  const std::string_view payload = publish.payload;
  const std::size_t bytes = headerBytes(publish) + payload.size();
  if (isTooLong(bytes)) return PublishStatus::Refused;
  char* const frame = place(bytes);
  if (frame == nullptr) return PublishStatus::Full;
  payload.copy(encodeHeader(publish, payload.size(), frame), payload.size());
  ++sequence_;
  placed(bytes);
  return PublishStatus::Accepted;
}

PublishStatus StormoDialect::publishToGroup(std::string_view name, Message message, SendId send) {
  Packet publish = groupPublish(name, message, send);
  return publishFrame(publish);
}

void StormoDialect::subscribeGroup(std::string_view name) {
  if (groups_.find(name) != groups_.end()) return;
  groups_.emplace(name, false);
  if (!link().isConnected()) return;
  frames_.clear();
  encode({.kind = Kind::Subscribe, .space = Space::Groups, .channel = name}, frames_);
  link().send(frames_);
}

void StormoDialect::unsubscribeGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return;
  groups_.erase(found);
  if (!link().isConnected()) return;
  frames_.clear();
  encode({.kind = Kind::Unsubscribe, .space = Space::Groups, .channel = name}, frames_);
  link().send(frames_);
}

void StormoDialect::onLost() {
  for (auto& [name, wasThere] : groups_) wasThere = true;
  historyRequestsSent_ = 0;
}

void StormoDialect::writeSubscriptions(std::string& out) {
  // What has come to it while there was no link begins with this one; the rest goes on.
  const auto write = [&](bool again) {
    const auto wanted = [&](bool wasThere) { return (resumes_ && wasThere) == again; };
    for (const std::string& event : link().events()) {
      if (wanted(link().wasSubscribed(event))) {
        encode({.kind = Kind::Subscribe, .again = again, .channel = event}, out);
      }
    }
    for (const auto& [name, wasThere] : groups_) {
      if (!wanted(wasThere)) continue;
      encode({.kind = Kind::Subscribe, .again = again, .space = Space::Groups, .channel = name},
             out);
    }
  };
  if (resumes_) {
    write(true);
    encode({.kind = Kind::Resume, .epoch = cursor_.epoch(), .offset = cursor_.offset()}, out);
  }
  write(false);
}

void StormoDialect::sendKept() {
  sendHistoryRequests();
  link().send(unacked_.all());
}

void StormoDialect::write(LinkRequest request, const Names& names, std::string& out) {
  const Kind kind = kindOf(request);
  if (names.empty()) encode({.kind = kind}, out);
  for (const std::string& name : names) encode({.kind = kind, .channel = name}, out);
}

}  // namespace stormo::channel
