// Both dialects of the Channel, behind the frame as a link reads it. What Workerman's decoder takes
// is encoded to a message that decodes to the same; what Stormo's decoder takes is encoded to the
// very bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/channel/packet.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

std::string encoded(const Packet& p) {
  std::string out;
  switch (p.kind) {
    case Kind::Hello:
      if (p.version == kProtocolVersion) appendHello(p.producerId, p.payload, out);
      break;
    case Kind::Welcome:
      if (p.version == kProtocolVersion) appendWelcome(p.epoch, p.frameBytesMax, out);
      break;
    case Kind::Refused:
      appendRefused(p.payload, out);
      break;
    case Kind::Subscribe:
      appendSubscribe(p.channel, out, p.space, p.again);
      break;
    case Kind::Unsubscribe:
      appendUnsubscribe(p.channel, out, p.space);
      break;
    case Kind::Publish:
      appendPublish({p.channel, p.sequence, p.payloadKind, p.loop, p.space}, p.payload, out);
      break;
    case Kind::Event:
      appendEvent({p.channel, p.epoch, p.offset, p.producerId, p.sequence, p.payloadKind, p.space},
                  p.payload, out);
      break;
    case Kind::Ack:
      appendAck(p.sequence, out);
      break;
    case Kind::Watch:
      appendWatch(p.channel, out);
      break;
    case Kind::Unwatch:
      appendUnwatch(p.channel, out);
      break;
    case Kind::Enqueue:
      appendEnqueue({p.channel, p.sequence, p.payloadKind}, p.payload, out);
      break;
    case Kind::Reserve:
      appendReserve(out);
      break;
    case Kind::Job:
      appendJob({p.channel, p.payloadKind}, p.payload, out);
      break;
    case Kind::Gap:
      appendGap(p.epoch, p.offset, out);
      break;
    case Kind::Ping:
      appendPing(out);
      break;
    case Kind::Pong:
      appendPong(out);
      break;
    case Kind::Resume:
      appendResume(p.epoch, p.offset, out);
      break;
    case Kind::HistoryRequest:
      appendRecall(p.channel, p.epoch, p.offset, out);
      break;
    case Kind::HistoryReply:
      appendRecalled({p.channel, p.epoch, p.offset, p.whole}, p.payload, out);
      break;
    case Kind::IdempotentPublish:
      appendPublishOnce({p.channel, p.sequence, p.session, p.sendNumber, p.payloadKind}, p.payload,
                        out);
      break;
  }
  return out;
}

void checkStormo(std::string_view frame) {
  Packet packet;
  if (decode(framePayload(frame), packet) != Decode::Ok) return;
  const std::string again = encoded(packet);
  const bool otherVersion = again.empty();
  STORMO_ASSERT(otherVersion || again == frame);
}

void checkWorkerman(std::string_view payload) {
  WorkermanCommand command;
  if (decodeWorkerman(payload, command) != Decode::Ok) return;
  std::string written;
  encodeWorkerman(command, written);
  WorkermanCommand again;
  STORMO_ASSERT(decodeWorkerman(written, again) == Decode::Ok);
  STORMO_ASSERT(again.type == command.type && again.data == command.data);
  STORMO_ASSERT(std::ranges::equal(again.channels, command.channels));
}

}  // namespace
}  // namespace stormo::channel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  while (true) {
    const PackageLength length = frameLength(in, 1 << 20);
    if (length.verdict != PackageLength::Verdict::Complete) return 0;
    const std::string_view frame = in.substr(0, length.bytes);
    if (channel::dialectOf(framePayload(frame)) == channel::Dialect::Stormo) {
      channel::checkStormo(frame);
    } else {
      channel::checkWorkerman(framePayload(frame));
    }
    in.remove_prefix(length.bytes);
  }
}
