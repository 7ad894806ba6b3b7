#include "protocol/channel/packet.h"

#include <array>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

constexpr std::uint8_t kPayloadKindMask = 0x03;
constexpr std::uint8_t kLoopFlag = 0x04;
constexpr std::uint8_t kAgainFlag = 0x08;      // Subscribe
constexpr std::uint8_t kReceiptFlag = 0x08;    // numbered kinds
constexpr std::uint8_t kDuplicateFlag = 0x08;  // Receipt
constexpr std::uint8_t kBlockedFlag = 0x08;    // Pong
constexpr std::uint8_t kGroupFlag = 0x10;
constexpr std::uint8_t kAheadFlag = 0x08;  // HistoryReply
constexpr std::uint8_t kWholeFlag = 0x20;
constexpr std::uint8_t kCutFlag = 0x40;     // Rejected
constexpr std::uint8_t kExceptFlag = 0x40;  // messages to groups
constexpr std::uint8_t kDerivedFlag = 0x80;

/// Magic, kind, flags, channelBytes.
constexpr std::size_t kFixedBytes = 4;
constexpr std::size_t kExceptLengthBytes = 2;

using Field = std::uint64_t Packet::*;

/// What a kind carries after the fixed bytes, in this order.
struct Shape {
  std::array<Field, 5> fields{};  ///< The first `fieldCount` of them are set.
  std::size_t fieldCount = 0;
  bool channel = false;
  bool payload = false;
  bool exists = true;
  std::uint8_t groupFlags = 0;     ///< The bits that may be set with kGroupFlag.
  std::uint8_t eventFlags = 0;     ///< The bits that may be set without it.
  std::uint8_t requiredFlags = 0;  ///< The bits that must be set.
};

/// `flags`: the bits that may be set.
template <typename... Fields>
constexpr Shape shape(bool channel, bool payload, int flags, Fields... fields) {
  const bool mayBeOfGroup = (flags & kGroupFlag) != 0;
  // `loop` is for events alone, exceptions for groups alone.
  const int groupFlags = mayBeOfGroup ? flags & ~kLoopFlag : 0;
  const int eventFlags = mayBeOfGroup ? flags & ~(kGroupFlag | kExceptFlag) : flags;
  return {.fields = {fields...},
          .fieldCount = sizeof...(fields),
          .channel = channel,
          .payload = payload,
          .groupFlags = static_cast<std::uint8_t>(groupFlags),
          .eventFlags = static_cast<std::uint8_t>(eventFlags)};
}

constexpr Shape forGroupsOnly(Shape shape) {
  shape.requiredFlags = kGroupFlag;
  return shape;
}

constexpr Shape makeShape(Kind kind) {
  switch (kind) {
    case Kind::Hello:
      return shape(false, true, 0, &Packet::version, &Packet::producerId);
    case Kind::Welcome:
      return shape(false, false, 0, &Packet::version, &Packet::epoch, &Packet::offset,
                   &Packet::frameBytesMax, &Packet::jobCount);
    case Kind::Refused:
    case Kind::Challenge:
    case Kind::Proof:
      return shape(false, true, 0);
    case Kind::Subscribe:
      return shape(true, false, kAgainFlag | kGroupFlag);
    case Kind::Unsubscribe:
      return shape(true, false, kGroupFlag);
    case Kind::Publish:
      return shape(true, true,
                   kPayloadKindMask | kLoopFlag | kReceiptFlag | kGroupFlag | kExceptFlag,
                   &Packet::sequence);
    case Kind::Event:
      return shape(true, true, kPayloadKindMask | kGroupFlag | kExceptFlag | kDerivedFlag,
                   &Packet::epoch, &Packet::offset);
    case Kind::Ack:
      return shape(false, false, 0, &Packet::sequence);
    case Kind::Watch:
    case Kind::Unwatch:
      return shape(true, false, 0);
    case Kind::Enqueue:
      return shape(true, true, kPayloadKindMask, &Packet::sequence);
    case Kind::Job:
      return shape(true, true, kPayloadKindMask, &Packet::job);
    case Kind::Finish:
    case Kind::Return:
      return shape(false, false, 0, &Packet::sequence, &Packet::job);
    case Kind::Gap:
    case Kind::Resume:
      return shape(false, false, 0, &Packet::epoch, &Packet::offset);
    case Kind::HistoryRequest:
      return forGroupsOnly(shape(true, false, kGroupFlag, &Packet::epoch, &Packet::offset));
    case Kind::HistoryReply:
      return forGroupsOnly(
          shape(true, true, kGroupFlag | kAheadFlag | kWholeFlag, &Packet::epoch, &Packet::offset));
    case Kind::IdempotentPublish:
      return forGroupsOnly(shape(true, true,
                                 kPayloadKindMask | kReceiptFlag | kGroupFlag | kExceptFlag,
                                 &Packet::sequence, &Packet::session, &Packet::sendNumber));
    case Kind::Retain:
      return shape(true, true, kReceiptFlag, &Packet::sequence, &Packet::key, &Packet::until);
    case Kind::Receipt:
      return shape(false, false, kDuplicateFlag, &Packet::sequence, &Packet::epoch, &Packet::offset,
                   &Packet::receivers);
    case Kind::Interest:
      return shape(true, false, 0, &Packet::receivers);
    case Kind::Rejected:
      return shape(false, true, kCutFlag, &Packet::sequence);
    case Kind::Pong:
      return shape(false, false, kBlockedFlag);
    case Kind::Reserve:
    case Kind::Ping:
      return shape(false, false, 0);
  }
  return {.exists = false};
}

/// The codec's table: one row per byte that may stand for a kind.
constexpr std::array<Shape, 256> kShapes = [] {
  std::array<Shape, 256> shapes;
  for (std::size_t i = 0; i < shapes.size(); ++i) shapes[i] = makeShape(static_cast<Kind>(i));
  return shapes;
}();

const Shape& shapeOf(Kind kind) { return kShapes[static_cast<std::uint8_t>(kind)]; }

/// Kinds whose sender may ask for a Receipt.
constexpr bool mayAskForReceipt(Kind kind) {
  return kind == Kind::Publish || kind == Kind::IdempotentPublish || kind == Kind::Retain;
}

/// Names with their lengths, in a row.
bool areExceptions(std::string_view list) {
  while (!list.empty()) {
    const std::size_t bytes = static_cast<std::uint8_t>(list[0]);
    if (bytes == 0 || list.size() <= bytes) return false;
    list.remove_prefix(1 + bytes);
  }
  return true;
}

std::uint8_t flagsOf(const Packet& packet) {
  return static_cast<std::uint8_t>(
      static_cast<int>(packet.payloadKind) | (packet.loop ? kLoopFlag : 0) |
      (packet.again ? kAgainFlag : 0) | (packet.space == Space::Groups ? kGroupFlag : 0) |
      (packet.whole ? kWholeFlag : 0) | (packet.cut ? kCutFlag : 0) |
      (packet.derived ? kDerivedFlag : 0) | (packet.receipt ? kReceiptFlag : 0) |
      (packet.duplicate ? kDuplicateFlag : 0) | (packet.blocked ? kBlockedFlag : 0) |
      (packet.ahead ? kAheadFlag : 0) | (packet.except.empty() ? 0 : kExceptFlag));
}

/// False if the packet has a flag whose bit means something else in its kind.
bool hasOwnFlagsOnly(std::uint8_t flags, const Packet& packet) {
  if ((flags & (kReceiptFlag | kExceptFlag)) == 0) return true;
  return (!packet.again || packet.kind == Kind::Subscribe) &&
         (!packet.receipt || mayAskForReceipt(packet.kind)) &&
         (!packet.duplicate || packet.kind == Kind::Receipt) &&
         (!packet.blocked || packet.kind == Kind::Pong) &&
         (!packet.ahead || packet.kind == Kind::HistoryReply) &&
         (!packet.cut || packet.kind == Kind::Rejected) &&
         (packet.except.empty() || packet.kind != Kind::Rejected);
}

/// True if a frame of this shape may have these flags.
bool areAllowed(std::uint8_t flags, const Shape& shape) {
  const std::uint8_t allowed = (flags & kGroupFlag) != 0 ? shape.groupFlags : shape.eventFlags;
  return (flags & ~allowed) == 0 && (flags & shape.requiredFlags) == shape.requiredFlags &&
         (flags & kPayloadKindMask) != kPayloadKindMask;
}

/// Those that most messages do not have.
void readRareFlags(std::uint8_t flags, Packet& out) {
  out.loop = (flags & kLoopFlag) != 0;
  out.again = out.kind == Kind::Subscribe && (flags & kAgainFlag) != 0;
  out.whole = (flags & kWholeFlag) != 0;
  out.cut = out.kind == Kind::Rejected && (flags & kCutFlag) != 0;
  out.receipt = mayAskForReceipt(out.kind) && (flags & kReceiptFlag) != 0;
  out.duplicate = out.kind == Kind::Receipt && (flags & kDuplicateFlag) != 0;
  out.blocked = out.kind == Kind::Pong && (flags & kBlockedFlag) != 0;
  out.ahead = out.kind == Kind::HistoryReply && (flags & kAheadFlag) != 0;
  out.derived = (flags & kDerivedFlag) != 0;
}

/// Moves the exceptions from the beginning of the payload. False if they are malformed.
bool takeExcept(Packet& out) {
  std::string_view& rest = out.payload;
  if (rest.size() < kExceptLengthBytes) return false;
  const std::size_t bytes = loadBigEndian<std::uint16_t>(rest.data());
  rest.remove_prefix(kExceptLengthBytes);
  out.except = rest.substr(0, bytes);
  if (out.except.empty() || out.except.size() < bytes || !areExceptions(out.except)) return false;
  rest.remove_prefix(bytes);
  return true;
}

std::uint64_t fieldAt(std::string_view payload, std::size_t index) {
  return loadBigEndian<std::uint64_t>(payload.data() + kFixedBytes + 8 * index);
}

}  // namespace

Decode decode(std::string_view payload, Packet& out) {
  if (payload.size() < kFixedBytes || payload[0] != kStormoMagic) return Decode::Invalid;
  const Kind kind = static_cast<Kind>(payload[1]);
  const auto flags = static_cast<std::uint8_t>(payload[2]);
  const std::size_t channelBytes = static_cast<std::uint8_t>(payload[3]);

  const Shape& shape = shapeOf(kind);
  const std::size_t headBytes = kFixedBytes + 8 * shape.fieldCount + channelBytes;
  if (!shape.exists || !areAllowed(flags, shape)) return Decode::Invalid;
  if ((channelBytes != 0) != shape.channel) return Decode::Invalid;
  if (payload.size() < headBytes) return Decode::Invalid;
  if (payload.size() > headBytes && !shape.payload) return Decode::Invalid;
  if (kind == Kind::Hello && payload.size() - headBytes > kSecretBytesMax) return Decode::Invalid;

  out = Packet{};
  out.kind = kind;
  out.payloadKind = static_cast<PayloadKind>(flags & kPayloadKindMask);
  out.space = (flags & kGroupFlag) != 0 ? Space::Groups : Space::Events;
  out.channel = payload.substr(headBytes - channelBytes, channelBytes);
  out.payload = payload.substr(headBytes);
  if ((flags & ~(kPayloadKindMask | kGroupFlag)) != 0) {
    readRareFlags(flags, out);
    if ((flags & kExceptFlag) != 0 && !out.cut && !takeExcept(out)) return Decode::Invalid;
  }
  for (std::size_t i = 0; i < shape.fieldCount; ++i) {
    out.*shape.fields[i] = fieldAt(payload, i);
  }
  return Decode::Ok;
}

bool isNumbered(Kind kind) {
  return mayAskForReceipt(kind) || kind == Kind::Enqueue || kind == Kind::Finish ||
         kind == Kind::Return;
}

std::uint64_t sequenceAtStart(std::string_view start) {
  if (start.size() < kFixedBytes + 8 || start[0] != kStormoMagic) return 0;
  return isNumbered(static_cast<Kind>(start[1])) ? fieldAt(start, 0) : 0;
}

std::size_t headerBytes(const Packet& packet) {
  return kFrameHeaderBytes + kFixedBytes + 8 * shapeOf(packet.kind).fieldCount +
         packet.channel.size() +
         (packet.except.empty() ? 0 : kExceptLengthBytes + packet.except.size());
}

char* encodeHeader(const Packet& packet, std::size_t payloadBytes, char* out) {
  const Shape& shape = shapeOf(packet.kind);
  const std::uint8_t flags = flagsOf(packet);
  const std::size_t channelBytes = packet.channel.size();
  STORMO_ASSERT(shape.exists && areAllowed(flags, shape) && hasOwnFlagsOnly(flags, packet));
  STORMO_ASSERT((channelBytes != 0) == shape.channel && channelBytes <= kChannelNameBytesMax);
  STORMO_ASSERT(payloadBytes == 0 || shape.payload);
  STORMO_ASSERT(packet.kind != Kind::Hello || payloadBytes <= kSecretBytesMax);
  const std::size_t headBytes = headerBytes(packet) - kFrameHeaderBytes;
  STORMO_ASSERT(payloadBytes <= kFramePayloadBytesMax - headBytes);

  encodeFrameHeader(headBytes + payloadBytes, out);
  out += kFrameHeaderBytes;
  out[0] = kStormoMagic;
  out[1] = static_cast<char>(packet.kind);
  out[2] = static_cast<char>(flags);
  out[3] = static_cast<char>(channelBytes);
  out += kFixedBytes;
  for (std::size_t i = 0; i < shape.fieldCount; ++i, out += 8) {
    storeBigEndian<std::uint64_t>(out, packet.*shape.fields[i]);
  }
  // Read again, so that its size is not known to be at most 255: GCC 12 would copy with a slow `rep
  // movs`.
  const std::string_view channel = packet.channel;
  if (!channel.empty()) std::memcpy(out, channel.data(), channel.size());
  out += channel.size();
  if (packet.except.empty()) return out;
  STORMO_ASSERT(packet.except.size() <= kExceptBytesMax && areExceptions(packet.except));
  storeBigEndian<std::uint16_t>(out, static_cast<std::uint16_t>(packet.except.size()));
  out += kExceptLengthBytes;
  return out + packet.except.copy(out, packet.except.size());
}

void encode(const Packet& packet, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + headerBytes(packet));
  encodeHeader(packet, packet.payload.size(), out.data() + start);
  out.append(packet.payload);
}

std::string encode(const Packet& packet) {
  std::string frame;
  encode(packet, frame);
  return frame;
}

std::uint64_t writtenSequence(std::string_view frame) { return fieldAt(framePayload(frame), 0); }

std::uint64_t writtenOffset(std::string_view event) { return fieldAt(framePayload(event), 1); }

}  // namespace stormo::channel
