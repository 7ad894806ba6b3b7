#pragma once

#include <stormo/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/channel/dialect.h"

/// Stormo's dialect of the Channel, byte by byte in docs/channel-protocol.md. A frame is
///
///     u32 frameBytes | u8 magic 'Q' | u8 kind | u8 flags | u8 channelBytes |
///     u64 fields of the kind | channel name | payload to the end
///
/// with all integers big-endian. Encoders write whole frames; decode() takes a frame's payload,
/// what is behind the four length bytes.
namespace stormo::channel {

inline constexpr std::uint64_t kProtocolVersion = 2;
inline constexpr std::size_t kSecretBytesMax = 255;
/// No frame of Stormo's or Workerman's dialect is longer than the message that it carries and this:
/// two names, and what stands around them.
inline constexpr std::size_t kFrameOverheadBytesMax = 1024;
/// What a server accepts if it is told nothing else; Workerman's default, too.
inline constexpr std::size_t kDefaultFrameBytesMax = 10 << 20;
/// No Hello is longer: until a peer has said one, believe no frame that claims more.
inline constexpr std::size_t kHelloFrameBytesMax = 24 + kSecretBytesMax;

enum class Kind : std::uint8_t {
  Hello = 1,        ///< The first word of a client: version, producerId, payload = secret.
  Welcome = 2,      ///< The server's answer: version, epoch (of this server's life), frameBytesMax.
  Refused = 3,      ///< The server's other answer: payload = reason, for people. Then it closes.
  Subscribe = 4,    ///< channel. `again`: it was subscribed on the last link, too; see Resume.
  Unsubscribe = 5,  ///< channel.
  Publish = 6,      ///< channel, sequence, payload. `loop`: to one subscriber in turn.
  Event = 7,        ///< channel, epoch, offset, producerId, sequence, payload.
  Ack = 8,          ///< sequence: this and all before it have been passed on.
  Watch = 9,        ///< channel, here the name of a queue.
  Unwatch = 10,     ///< channel.
  Enqueue = 11,     ///< channel, sequence, payload.
  Reserve = 12,     ///< One more job, please.
  Job = 13,         ///< channel, payload.
  Gap = 14,         ///< epoch, offset: events were lost to you; what follows is after it.
  Ping = 15,
  Pong = 16,
  Resume = 17,  ///< epoch, offset of the last event seen: what came since, in the channels that
                ///< were subscribed to `again`, is to come first.
  HistoryRequest = 18,  ///< channel (a group), epoch, offset: what was said there since, please.
                        ///< Epoch zero: nothing, only how far it has got.
  HistoryReply = 19,  ///< channel, epoch, offset: the answer, payload = Events, whole frames, up to
                      ///< here. `whole`: no other was said since the position that was asked for.
  IdempotentPublish =
      20,         ///< channel (a group), sequence, session, sendNumber, payload: to be
                  ///< passed on unless that author has got as far already, by any publisher.
  Rejected = 21,  ///< sequence, payload = reason: the server has dropped that publish. With
                  ///< `cut` it closes the link as well, without having taken the sequence.
};

/// How a payload is to be understood; the Channel passes it on as it is.
enum class PayloadKind : std::uint8_t {
  Value = 0,   ///< A PHP serialized value.
  Text = 1,    ///< UTF-8.
  Binary = 2,  ///< Any bytes.
};

/// Names of events and names of groups are two things: an event carries a Value, for whoever knows
/// its name; a group carries the messages of its members, Text or Binary.
enum class Space : std::uint8_t { Events, Groups };

[[nodiscard]] constexpr PayloadKind payloadKindOf(const Message& message) {
  return message.type == MessageType::Binary ? PayloadKind::Binary : PayloadKind::Text;
}

/// One message of the link. What its kind does not carry is zero or empty. The views point into the
/// bytes that it was decoded from and are valid as long as these.
struct Packet {
  Kind kind = Kind::Ping;
  PayloadKind payloadKind = PayloadKind::Value;  ///< Of Publish(Once), Event, Enqueue, Job.
  bool loop = false;                             ///< Of Publish.
  bool again = false;                            ///< Of Subscribe.
  bool whole = false;                            ///< Of HistoryReply.
  bool cut = false;                              ///< Of Rejected.
  Space space = Space::Events;  ///< Of Subscribe, Unsubscribe, Publish, IdempotentPublish, Event.
  std::uint64_t version = 0;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  std::uint64_t producerId = 0;
  std::uint64_t sequence = 0;
  std::uint64_t session = 0;
  std::uint64_t sendNumber = 0;
  std::uint64_t frameBytesMax = 0;  ///< Of Welcome: the longest frame that the server reads.
  std::string_view channel = {};
  std::string_view payload = {};
};

/// The message to a group that the packet carries: its payload, Text or Binary.
[[nodiscard]] inline Message messageIn(const Packet& packet) {
  const bool isText = packet.payloadKind == PayloadKind::Text;
  return {packet.payload, isText ? MessageType::Text : MessageType::Binary};
}

/// Decodes one frame's payload. Strict: unknown kinds and flags, a channel or bytes behind it where
/// the kind has none, a missing channel, a `loop` to a group, and a HistoryRequest, HistoryReply or
/// IdempotentPublish of what is no group are all Invalid. A Hello of any version is Ok, for its
/// server to refuse it in words.
[[nodiscard]] Decode decode(std::string_view payload, Packet& out);

/// The sequence of a Publish, IdempotentPublish or Enqueue of whose payload `start` has arrived,
/// without judging the rest of it. 0 if it is of another kind, or cut before the sequence.
[[nodiscard]] std::uint64_t sequenceAtStart(std::string_view start);

/// Appends the frame of one packet. The packet is one that decode() accepts: fields that its kind
/// does not carry are ignored, but a missing or superfluous channel or payload, a flag of another
/// kind, a channel longer than kChannelNameBytesMax, a secret longer than kSecretBytesMax and a
/// frame of 4 GiB or more are bugs of the caller (they are asserted).
void encode(const Packet& packet, std::string& out);
/// The same as a string of its own.
[[nodiscard]] std::string encode(const Packet& packet);

// For a payload that is written in place or elsewhere: both ignore `packet.payload`, and neither
// allocates.

/// Bytes of the packet's frame before its payload, including the four length bytes.
[[nodiscard]] std::size_t headerBytes(const Packet& packet);
/// Writes headerBytes(packet) bytes at `out`, for a frame whose payload is `payloadBytes` long.
/// Returns the position after them, where the caller places the payload.
char* encodeHeader(const Packet& packet, std::size_t payloadBytes, char* out);

/// Fields of a whole frame that encode() wrote, without decoding it: the sequence of a Publish,
/// IdempotentPublish or Enqueue, and the offset of an Event.
[[nodiscard]] std::uint64_t writtenSequence(std::string_view frame);
[[nodiscard]] std::uint64_t writtenOffset(std::string_view event);

}  // namespace stormo::channel
