// Input of the generator's members: read by some, counted by the others.
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "bench/generator.h"

namespace stormo::bench {

void Generator::countBytes(Member& member) {
  // TCP discards the bytes without copying them (tcp(7)), so a fan-out does not cost the generator
  // one copy per member.
  const ssize_t got =
      ::recv(member.fd.get(), input_.data(), input_.size(), plan_.server.isUnix() ? 0 : MSG_TRUNC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close(member, "the server closed the connection");
  count(member, static_cast<std::size_t>(got));
}

void Generator::count(Member& member, std::size_t bytes) {
  member.countedBytes += bytes;
  countedBytes_ += bytes;
}

void Generator::readFrames(Member& member, std::string_view bytes) {
  ownMessages_ = 0;
  websocket::ServerFrame frame;
  while (member.fd.valid() && readServerFrame(bytes, frame)) {
    bytes.remove_prefix(frame.bytes);
    switch (frame.opcode) {
      case websocket::Opcode::Ping:
        send(member, clientFrame(websocket::Opcode::Pong, frame.payload));
        break;
      case websocket::Opcode::Pong:
        break;
      case websocket::Opcode::Close:
        close(member, "the server closed the WebSocket");
        break;
      default:
        onText(member, frame);
    }
  }
  member.unread = member.fd.valid() ? bytes : std::string_view();
  if (ownMessages_ > 0) republish(member);
}

void Generator::onText(Member& member, const websocket::ServerFrame& frame) {
  if (member.v1 != nullptr) {
    onV1Text(member, frame);
  } else if (member.state == Member::State::Greeting &&
             frame.payload.starts_with(plan_.helloReply)) {
    join(member);
  }
  // A frame contains one message, or several with some servers' own protocols.
  std::string_view rest = frame.payload;
  for (;;) {
    const std::size_t at = rest.find(kStampMark);
    if (at == rest.npos) return;
    rest.remove_prefix(at);
    const auto stamp = readStamp(rest);
    if (stamp) onMessage(member, *stamp, frame.bytes);
    rest.remove_prefix(stamp ? std::min(plan_.messageBytes, rest.size()) : 1);
  }
}

void Generator::onMessage(Member& member, const Stamp& stamp, std::size_t frameBytes) {
  if (!isForGroupOf(member, stamp)) {
    ++foreignMessages_;
    if (own_.firstFault.isSet()) return;
    return own_.firstFault.set(fmt::format(
        "member {} received a message of publisher {}, which does not publish to its group",
        member.number, stamp.publisher));
  }
  if (stamp.sequence == 0) return onProbe(member, stamp, frameBytes);
  ++member.messages;
  ++readMessages_;
  if (phase_ == Phase::Measure) own_.latency.record(elapsedNs(stamp.sentNs, nowNs_));

  std::uint32_t& last = member.last[plan_.placeInGroup(stamp.publisher)];
  if (stamp.sequence != last + 1) {
    own_.disordered.add();
    if (!own_.firstFault.isSet()) {
      own_.firstFault.set(
          fmt::format("member {} received message {} of publisher {} after message {}",
                      member.number, stamp.sequence, stamp.publisher, last));
    }
  }
  if (stamp.sequence <= last) return;  // a duplicate: it does not start another message
  last = stamp.sequence;
  if (stamp.publisher == member.number) ++ownMessages_;
}

void Generator::onProbe(Member& member, const Stamp& stamp, std::size_t frameBytes) {
  if (!plan_.checkAll) frameBytes_ = frameBytes;
  if (stamp.sentNs <= member.roundReceived) return;
  member.roundReceived = static_cast<std::uint32_t>(stamp.sentNs);
  if (member.roundReceived == probedRound_) ++probesReceived_;
}

bool Generator::isForGroupOf(const Member& member, const Stamp& stamp) const {
  if (plan_.groupOf(stamp.publisher) != member.group) return false;
  // Probes are sent by the first member of each group, publisher or not.
  if (stamp.sequence == 0) return stamp.publisher < plan_.groups;
  // Members that only count include all bytes since before the first message of the run.
  return member.reads && stamp.publisher < plan_.publishers;
}

void Generator::republish(Member& member) {
  if (plan_.isOpenLoop() || (phase_ != Phase::WarmUp && phase_ != Phase::Measure)) return;
  Publisher& publisher = publishers_[(member.number - index_) / plan_.processes];
  for (std::size_t i = 0; i < ownMessages_; ++i) publish(publisher, nowNs_);
  sendOutput(member);
}

}  // namespace stormo::bench
