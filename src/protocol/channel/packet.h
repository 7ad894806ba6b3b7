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
///     u64 fields of the kind | channel name | u16 exceptBytes, except | payload to the end
///
/// (the exceptions only with the flag for them)
/// with all integers big-endian. encode() writes complete frames; decode() reads a frame's payload,
/// the bytes after the four length bytes.
namespace stormo::channel {

inline constexpr std::uint64_t kProtocolVersion = 4;
inline constexpr std::size_t kSecretBytesMax = 255;
inline constexpr std::size_t kExceptBytesMax = 65'535;
/// A frame of either dialect is at most this much longer than its message: two names, and the
/// fields around them.
inline constexpr std::size_t kFrameOverheadBytesMax = 1024;
/// The default of the longest frame that a server accepts, as in Workerman.
inline constexpr std::size_t kDefaultFrameBytesMax = 10 << 20;
/// The longest frame that is accepted from a peer before the link is open: a Hello of any version.
inline constexpr std::size_t kHelloFrameBytesMax = 24 + kSecretBytesMax;

enum class Kind : std::uint8_t {
  /// The first packet of a client: version, producerId. Before version 4: payload = secret.
  Hello = 1,
  /// The server's reply: version, epoch, offset of the latest record, frameBytesMax, jobCount.
  Welcome = 2,
  Refused = 3,      ///< The server's other reply: payload = reason, as text. Then it closes.
  Subscribe = 4,    ///< channel. `again`: it was subscribed on the last link, too; see Resume.
  Unsubscribe = 5,  ///< channel.
  Publish = 6,      ///< channel, sequence, payload. `loop`: to one subscriber in turn.
  /// channel, epoch, offset, payload. `derived`: see Packet. Offset 0: for this link alone.
  Event = 7,
  Ack = 8,       ///< sequence: this and all before it are acknowledged.
  Watch = 9,     ///< channel, here the name of a queue.
  Unwatch = 10,  ///< channel.
  Enqueue = 11,  ///< channel, sequence, payload.
  Reserve = 12,  ///< Requests one more job.
  Job = 13,      ///< channel, job, payload.
  Gap = 14,      ///< epoch, offset: the link has missed events before this position.
  Ping = 15,
  Pong = 16,  ///< `blocked`: see Packet. The server also sends it unasked.
  /// epoch, offset of the last event received: requests the replay of later events in the channels
  /// that were subscribed with `again`.
  Resume = 17,
  /// channel (a group), epoch, offset: requests the group's messages after that position. Epoch
  /// zero: no messages, only the current position.
  HistoryRequest = 18,
  /// channel, epoch, offset: payload = Events, complete frames, up to this position. `whole`: no
  /// message since the requested position is missing.
  HistoryReply = 19,
  /// channel (a group), sequence, session, sendNumber, payload: dropped as a duplicate if the
  /// session has published this number or a greater one, through any producer.
  IdempotentPublish = 20,
  /// sequence, payload = reason: the server has dropped that publish. With `cut` it closes the link
  /// without having accepted the sequence.
  Rejected = 21,
  Finish = 22,  ///< sequence, job: the client has done that job.
  Return = 23,  ///< sequence, job: the client gives that job back.
  /// The server's first reply if it has a secret: payload = kChallengeBytes random bytes.
  Challenge = 24,
  Proof = 25,  ///< The client's reply to that: payload = proofOf().
  /// channel (an event), sequence, key, until, payload: an event that the server also keeps until a
  /// time, for those that subscribe later. It replaces the one with the same channel and key.
  Retain = 26,
  /// sequence, epoch, offset, receivers: what became of a publish with `receipt`. Comes before its
  /// Ack. `duplicate`: its session had published it before.
  Receipt = 27,
  /// channel (an event), receivers: so many links of the node that has appended it are subscribed
  /// to the event. Only in a log that nodes share, not on a link.
  Interest = 28,
};

/// The encoding of a payload. The Channel forwards it unchanged.
enum class PayloadKind : std::uint8_t {
  Value = 0,   ///< A PHP serialized value.
  Text = 1,    ///< UTF-8.
  Binary = 2,  ///< Any bytes.
};

/// Events and groups have separate names: an event carries a Value, to its subscribers; a group
/// carries messages of its members, Text or Binary.
enum class Space : std::uint8_t { Events, Groups };

[[nodiscard]] constexpr PayloadKind payloadKindOf(const Message& message) {
  return message.type == MessageType::Binary ? PayloadKind::Binary : PayloadKind::Text;
}

/// One packet of a link. Fields that its kind does not carry are zero or empty. After decode() the
/// views point into the decoded bytes and are valid as long as those.
struct Packet {
  Kind kind = Kind::Ping;
  PayloadKind payloadKind =
      PayloadKind::Value;  ///< Publish, IdempotentPublish, Event, Enqueue, Job.
  bool loop = false;       ///< Publish.
  bool again = false;      ///< Subscribe.
  bool ahead = false;      ///< HistoryReply: the requested position is to come.
  bool whole = false;      ///< HistoryReply.
  bool cut = false;        ///< Rejected.
  bool receipt = false;    ///< Publish, IdempotentPublish, Retain: the server sends a Receipt.
  bool duplicate = false;  ///< Receipt.
  /// Pong: the server's log cannot be written at the moment, and acknowledges nothing.
  bool blocked = false;
  /// Event: the second event of its offset, which the server has derived from the first one.
  bool derived = false;
  /// Subscribe, Unsubscribe, Publish, Event; always Groups in those for groups only.
  Space space = Space::Events;
  std::uint64_t version = 0;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  std::uint64_t producerId = 0;
  std::uint64_t sequence = 0;
  std::uint64_t session = 0;
  std::uint64_t sendNumber = 0;
  std::uint64_t frameBytesMax = 0;  ///< Welcome: the longest frame that the server accepts.
  /// Welcome: the number of jobs that this client has already; their Jobs follow.
  std::uint64_t jobCount = 0;
  /// Names a job that was handed to this client, differently each time.
  std::uint64_t job = 0;
  std::uint64_t key = 0;        ///< Retain.
  std::uint64_t until = 0;      ///< Retain: milliseconds since 1970.
  std::uint64_t receivers = 0;  ///< Receipt, Interest.
  std::string_view channel = {};
  /// Publish and Event of a group, IdempotentPublish: see GroupMessage::except.
  std::string_view except = {};
  std::string_view payload = {};
};

/// The group message of a packet: its payload, Text or Binary.
[[nodiscard]] inline Message messageIn(const Packet& packet) {
  const bool isText = packet.payloadKind == PayloadKind::Text;
  return {packet.payload, isText ? MessageType::Text : MessageType::Binary};
}

/// Decodes one frame's payload. Invalid: unknown kinds and flags, a channel or trailing bytes where
/// the kind has none, a missing channel, exceptions of an event or that are malformed, a `loop` to
/// a group, and a HistoryRequest, HistoryReply or IdempotentPublish that is not for a group. A
/// Hello of any version is Ok, so that the server can answer it with a reason.
[[nodiscard]] Decode decode(std::string_view payload, Packet& out);

/// True for the kinds that a producer numbers: Publish, IdempotentPublish, Retain, Enqueue, Finish,
/// Return.
[[nodiscard]] bool isNumbered(Kind kind);
/// The sequence of a packet of such a kind, from the start of its payload, without checking the
/// rest. 0 for another kind, or if the start ends before the sequence.
[[nodiscard]] std::uint64_t sequenceAtStart(std::string_view start);

/// Appends the frame of one packet. The packet is one that decode() accepts: fields that its kind
/// does not carry are ignored, but a missing or superfluous channel or payload, a flag of another
/// kind, a channel longer than kChannelNameBytesMax, malformed exceptions, a secret longer than
/// kSecretBytesMax and a
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

/// Fields of a whole frame that encode() wrote, without decoding it: the sequence of a numbered
/// kind, and the offset of an Event.
[[nodiscard]] std::uint64_t writtenSequence(std::string_view frame);
[[nodiscard]] std::uint64_t writtenOffset(std::string_view event);

}  // namespace stormo::channel
