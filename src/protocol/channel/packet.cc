#include "protocol/channel/packet.h"

#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

constexpr std::uint8_t kPayloadKindMask = 0x03;
constexpr std::uint8_t kLoopFlag = 0x04;
constexpr std::uint8_t kAgainFlag = 0x08;
constexpr std::uint8_t kGroupFlag = 0x10;
constexpr std::uint8_t kWholeFlag = 0x20;
constexpr std::uint8_t kCutFlag = 0x40;

/// Magic, kind, flags, channelBytes.
constexpr std::size_t kFixedBytes = 4;

/// What a kind carries behind the fixed bytes.
struct Shape {
  std::uint8_t fields;  ///< 64-bit integers.
  bool channel;
  bool payload;
  std::uint8_t flags;  ///< The bits that may be set.
};

constexpr Shape kNoSuchKind{0, false, false, 0xff};

constexpr Shape shapeOf(Kind kind) {
  switch (kind) {
    case Kind::Hello:
      return {2, false, true, 0};
    case Kind::Welcome:
      return {3, false, false, 0};
    case Kind::Refused:
      return {0, false, true, 0};
    case Kind::Subscribe:
      return {0, true, false, kAgainFlag | kGroupFlag};
    case Kind::Publish:
      return {1, true, true, kPayloadKindMask | kLoopFlag | kGroupFlag};
    case Kind::Event:
      return {4, true, true, kPayloadKindMask | kGroupFlag};
    case Kind::Ack:
      return {1, false, false, 0};
    case Kind::Unsubscribe:
      return {0, true, false, kGroupFlag};
    case Kind::Watch:
    case Kind::Unwatch:
      return {0, true, false, 0};
    case Kind::Enqueue:
      return {1, true, true, kPayloadKindMask};
    case Kind::Job:
      return {0, true, true, kPayloadKindMask};
    case Kind::Gap:
    case Kind::Resume:
      return {2, false, false, 0};
    case Kind::HistoryRequest:
      return {2, true, false, kGroupFlag};
    case Kind::HistoryReply:
      return {2, true, true, kGroupFlag | kWholeFlag};
    case Kind::IdempotentPublish:
      return {3, true, true, kPayloadKindMask | kGroupFlag};
    case Kind::Rejected:
      return {1, false, true, kCutFlag};
    case Kind::Reserve:
    case Kind::Ping:
    case Kind::Pong:
      return {0, false, false, 0};
  }
  return kNoSuchKind;
}

/// True of what is said of groups alone.
constexpr bool isOfGroups(Kind kind) {
  return kind == Kind::HistoryRequest || kind == Kind::HistoryReply ||
         kind == Kind::IdempotentPublish;
}

constexpr std::uint8_t flagOf(Space space) { return space == Space::Groups ? kGroupFlag : 0; }

std::uint64_t fieldAt(std::string_view payload, std::size_t index) {
  return loadBigEndian<std::uint64_t>(payload.data() + kFixedBytes + 8 * index);
}

/// Writes all that comes before the fields of the kind, and gives where these belong.
char* encodeStart(Kind kind, std::uint8_t flags, std::size_t channelBytes, std::size_t restBytes,
                  char* out) {
  STORMO_ASSERT(restBytes <= kFramePayloadBytesMax - kFixedBytes);
  encodeFrameHeader(kFixedBytes + restBytes, out);
  out[4] = kStormoMagic;
  out[5] = static_cast<char>(kind);
  out[6] = static_cast<char>(flags);
  out[7] = static_cast<char>(channelBytes);
  return out + kFrameHeaderBytes + kFixedBytes;
}

template <typename... Fields>
char* encode(Kind kind, std::uint8_t flags, std::string_view channel, std::size_t payloadBytes,
             char* out, Fields... fields) {
  STORMO_ASSERT(channel.size() <= kChannelNameBytesMax && payloadBytes <= kFramePayloadBytesMax);
  out = encodeStart(kind, flags, channel.size(),
                    sizeof...(fields) * 8 + channel.size() + payloadBytes, out);
  ((storeBigEndian<std::uint64_t>(out, fields), out += 8), ...);
  if (!channel.empty()) std::memcpy(out, channel.data(), channel.size());
  return out + channel.size();
}

template <typename... Fields>
void append(Kind kind, std::uint8_t flags, std::string_view channel, std::string_view payload,
            std::string& out, Fields... fields) {
  const std::size_t start = out.size();
  out.resize(start + kFrameHeaderBytes + kFixedBytes + sizeof...(fields) * 8 + channel.size());
  encode(kind, flags, channel, payload.size(), out.data() + start, fields...);
  out.append(payload);
}

template <typename Header>
void appendWithHeader(const Header& header, std::string_view payload, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + headerBytes(header));
  encodeHeader(header, payload.size(), out.data() + start);
  out.append(payload);
}

}  // namespace

Decode decode(std::string_view payload, Packet& out) {
  if (payload.size() < kFixedBytes || payload[0] != kStormoMagic) return Decode::Invalid;
  const Kind kind = static_cast<Kind>(payload[1]);
  const auto flags = static_cast<std::uint8_t>(payload[2]);
  const std::size_t channelBytes = static_cast<std::uint8_t>(payload[3]);

  const Shape shape = shapeOf(kind);
  const std::size_t headBytes = kFixedBytes + 8 * std::size_t{shape.fields} + channelBytes;
  const auto payloadKind = static_cast<std::uint8_t>(flags & kPayloadKindMask);
  if (shape.flags == kNoSuchKind.flags) return Decode::Invalid;
  if ((flags & ~shape.flags) != 0 || payloadKind == kPayloadKindMask) return Decode::Invalid;
  if ((flags & kLoopFlag) != 0 && (flags & kGroupFlag) != 0) return Decode::Invalid;
  if (isOfGroups(kind) && (flags & kGroupFlag) == 0) return Decode::Invalid;
  if ((channelBytes != 0) != shape.channel) return Decode::Invalid;
  if (payload.size() < headBytes) return Decode::Invalid;
  if (payload.size() > headBytes && !shape.payload) return Decode::Invalid;

  out = Packet{.kind = kind,
               .payloadKind = static_cast<PayloadKind>(payloadKind),
               .loop = (flags & kLoopFlag) != 0,
               .again = (flags & kAgainFlag) != 0,
               .whole = (flags & kWholeFlag) != 0,
               .cut = (flags & kCutFlag) != 0,
               .space = (flags & kGroupFlag) != 0 ? Space::Groups : Space::Events,
               .channel = payload.substr(headBytes - channelBytes, channelBytes),
               .payload = payload.substr(headBytes)};
  switch (kind) {
    case Kind::Event:
      out.epoch = fieldAt(payload, 0);
      out.offset = fieldAt(payload, 1);
      out.producerId = fieldAt(payload, 2);
      out.sequence = fieldAt(payload, 3);
      return Decode::Ok;
    case Kind::Publish:
    case Kind::Enqueue:
    case Kind::Ack:
    case Kind::Rejected:
      out.sequence = fieldAt(payload, 0);
      return Decode::Ok;
    case Kind::IdempotentPublish:
      out.sequence = fieldAt(payload, 0);
      out.session = fieldAt(payload, 1);
      out.sendNumber = fieldAt(payload, 2);
      return Decode::Ok;
    case Kind::Gap:
    case Kind::Resume:
    case Kind::HistoryRequest:
    case Kind::HistoryReply:
      out.epoch = fieldAt(payload, 0);
      out.offset = fieldAt(payload, 1);
      return Decode::Ok;
    case Kind::Hello:
      out.version = fieldAt(payload, 0);
      out.producerId = fieldAt(payload, 1);
      return out.payload.size() <= kSecretBytesMax ? Decode::Ok : Decode::Invalid;
    case Kind::Welcome:
      out.version = fieldAt(payload, 0);
      out.epoch = fieldAt(payload, 1);
      out.frameBytesMax = fieldAt(payload, 2);
      return Decode::Ok;
    case Kind::Refused:
    case Kind::Subscribe:
    case Kind::Unsubscribe:
    case Kind::Watch:
    case Kind::Unwatch:
    case Kind::Reserve:
    case Kind::Job:
    case Kind::Ping:
    case Kind::Pong:
      return Decode::Ok;
  }
  return Decode::Invalid;
}

std::uint64_t sequenceAtStart(std::string_view start) {
  if (start.size() < kFixedBytes + 8 || start[0] != kStormoMagic) return 0;
  const Kind kind = static_cast<Kind>(start[1]);
  const bool isNumbered =
      kind == Kind::Publish || kind == Kind::IdempotentPublish || kind == Kind::Enqueue;
  return isNumbered ? fieldAt(start, 0) : 0;
}

void appendHello(std::uint64_t producerId, std::string_view secret, std::string& out) {
  STORMO_ASSERT(secret.size() <= kSecretBytesMax);
  append(Kind::Hello, 0, {}, secret, out, kProtocolVersion, producerId);
}

void appendWelcome(std::uint64_t epoch, std::uint64_t frameBytesMax, std::string& out) {
  append(Kind::Welcome, 0, {}, {}, out, kProtocolVersion, epoch, frameBytesMax);
}

void appendRefused(std::string_view reason, std::string& out) {
  append(Kind::Refused, 0, {}, reason, out);
}

void appendSubscribe(std::string_view channel, std::string& out, Space space, bool again) {
  STORMO_ASSERT(!channel.empty());
  const auto flags = static_cast<std::uint8_t>((again ? kAgainFlag : 0) | flagOf(space));
  append(Kind::Subscribe, flags, channel, {}, out);
}

void appendResume(std::uint64_t epoch, std::uint64_t offset, std::string& out) {
  append(Kind::Resume, 0, {}, {}, out, epoch, offset);
}

void appendUnsubscribe(std::string_view channel, std::string& out, Space space) {
  STORMO_ASSERT(!channel.empty());
  append(Kind::Unsubscribe, flagOf(space), channel, {}, out);
}

void appendAck(std::uint64_t sequence, std::string& out) {
  append(Kind::Ack, 0, {}, {}, out, sequence);
}

void appendRejected(std::uint64_t sequence, std::string_view reason, bool cut, std::string& out) {
  append(Kind::Rejected, cut ? kCutFlag : 0, {}, reason, out, sequence);
}

void appendWatch(std::string_view queue, std::string& out) {
  STORMO_ASSERT(!queue.empty());
  append(Kind::Watch, 0, queue, {}, out);
}

void appendUnwatch(std::string_view queue, std::string& out) {
  STORMO_ASSERT(!queue.empty());
  append(Kind::Unwatch, 0, queue, {}, out);
}

void appendReserve(std::string& out) { append(Kind::Reserve, 0, {}, {}, out); }

void appendGap(std::uint64_t epoch, std::uint64_t offset, std::string& out) {
  append(Kind::Gap, 0, {}, {}, out, epoch, offset);
}

void appendRecall(std::string_view group, std::uint64_t epoch, std::uint64_t offset,
                  std::string& out) {
  STORMO_ASSERT(!group.empty());
  append(Kind::HistoryRequest, kGroupFlag, group, {}, out, epoch, offset);
}

void appendPing(std::string& out) { append(Kind::Ping, 0, {}, {}, out); }

void appendPong(std::string& out) { append(Kind::Pong, 0, {}, {}, out); }

char* encodeHeader(const PublishHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  STORMO_ASSERT(!header.loop || header.space == Space::Events);
  const auto flags =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(header.payloadKind) |
                                (header.loop ? kLoopFlag : 0) | flagOf(header.space));
  return encode(Kind::Publish, flags, header.channel, payloadBytes, out, header.sequence);
}

char* encodeHeader(const PublishOnceHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  const auto flags =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(header.payloadKind) | kGroupFlag);
  return encode(Kind::IdempotentPublish, flags, header.channel, payloadBytes, out, header.sequence,
                header.session, header.sendNumber);
}

char* encodeHeader(const RecalledHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  const auto flags = static_cast<std::uint8_t>(kGroupFlag | (header.whole ? kWholeFlag : 0));
  return encode(Kind::HistoryReply, flags, header.channel, payloadBytes, out, header.epoch,
                header.offset);
}

char* encodeHeader(const EventHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  const auto flags = static_cast<std::uint8_t>(static_cast<std::uint8_t>(header.payloadKind) |
                                               flagOf(header.space));
  return encode(Kind::Event, flags, header.channel, payloadBytes, out, header.epoch, header.offset,
                header.producerId, header.sequence);
}

char* encodeHeader(const EnqueueHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  return encode(Kind::Enqueue, static_cast<std::uint8_t>(header.payloadKind), header.channel,
                payloadBytes, out, header.sequence);
}

char* encodeHeader(const JobHeader& header, std::size_t payloadBytes, char* out) {
  STORMO_ASSERT(!header.channel.empty());
  return encode(Kind::Job, static_cast<std::uint8_t>(header.payloadKind), header.channel,
                payloadBytes, out);
}

std::uint64_t writtenSequence(std::string_view frame) { return fieldAt(framePayload(frame), 0); }

std::uint64_t writtenOffset(std::string_view event) { return fieldAt(framePayload(event), 1); }

void appendPublish(const PublishHeader& header, std::string_view payload, std::string& out) {
  appendWithHeader(header, payload, out);
}

void appendPublishOnce(const PublishOnceHeader& header, std::string_view payload,
                       std::string& out) {
  appendWithHeader(header, payload, out);
}

void appendRecalled(const RecalledHeader& header, std::string_view payload, std::string& out) {
  appendWithHeader(header, payload, out);
}

void appendEvent(const EventHeader& header, std::string_view payload, std::string& out) {
  appendWithHeader(header, payload, out);
}

void appendEnqueue(const EnqueueHeader& header, std::string_view payload, std::string& out) {
  appendWithHeader(header, payload, out);
}

void appendJob(const JobHeader& header, std::string_view payload, std::string& out) {
  appendWithHeader(header, payload, out);
}

}  // namespace stormo::channel
