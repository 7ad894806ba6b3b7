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

// Encoders of whole frames, appended to `out`. A channel is 1 to kChannelNameBytesMax bytes, a
// secret at most kSecretBytesMax, a frame at most 4 GiB - 1: to break one of these is a caller's
// bug.

void appendHello(std::uint64_t producerId, std::string_view secret, std::string& out);
void appendWelcome(std::uint64_t epoch, std::uint64_t frameBytesMax, std::string& out);
void appendRefused(std::string_view reason, std::string& out);
void appendSubscribe(std::string_view channel, std::string& out, Space space = Space::Events,
                     bool again = false);
void appendResume(std::uint64_t epoch, std::uint64_t offset, std::string& out);
void appendUnsubscribe(std::string_view channel, std::string& out, Space space = Space::Events);
void appendAck(std::uint64_t sequence, std::string& out);
void appendRejected(std::uint64_t sequence, std::string_view reason, bool cut, std::string& out);
void appendWatch(std::string_view queue, std::string& out);
void appendUnwatch(std::string_view queue, std::string& out);
void appendReserve(std::string& out);
void appendGap(std::uint64_t epoch, std::uint64_t offset, std::string& out);
void appendRecall(std::string_view group, std::uint64_t epoch, std::uint64_t offset,
                  std::string& out);
void appendPing(std::string& out);
void appendPong(std::string& out);

struct PublishHeader {
  std::string_view channel;
  std::uint64_t sequence = 0;
  PayloadKind payloadKind = PayloadKind::Value;
  bool loop = false;  ///< Of events only.
  Space space = Space::Events;
};

/// Of a message to a group.
struct PublishOnceHeader {
  std::string_view channel;
  std::uint64_t sequence = 0;
  std::uint64_t session = 0;
  std::uint64_t sendNumber = 0;
  PayloadKind payloadKind = PayloadKind::Text;
};

struct RecalledHeader {
  std::string_view channel;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  bool whole = false;
};

struct EventHeader {
  std::string_view channel;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  std::uint64_t producerId = 0;
  std::uint64_t sequence = 0;
  PayloadKind payloadKind = PayloadKind::Value;
  Space space = Space::Events;
};

struct EnqueueHeader {
  std::string_view channel;
  std::uint64_t sequence = 0;
  PayloadKind payloadKind = PayloadKind::Value;
};

struct JobHeader {
  std::string_view channel;
  PayloadKind payloadKind = PayloadKind::Value;
};

/// Bytes of the frame that come before its payload, the four length bytes included.
[[nodiscard]] constexpr std::size_t headerBytes(const PublishHeader& header) {
  return 16 + header.channel.size();
}
[[nodiscard]] constexpr std::size_t headerBytes(const PublishOnceHeader& header) {
  return 32 + header.channel.size();
}
[[nodiscard]] constexpr std::size_t headerBytes(const RecalledHeader& header) {
  return 24 + header.channel.size();
}
[[nodiscard]] constexpr std::size_t headerBytes(const EventHeader& header) {
  return 40 + header.channel.size();
}
[[nodiscard]] constexpr std::size_t headerBytes(const EnqueueHeader& header) {
  return 16 + header.channel.size();
}
[[nodiscard]] constexpr std::size_t headerBytes(const JobHeader& header) {
  return 8 + header.channel.size();
}

/// Writes headerBytes(header) bytes for a frame whose payload will be `payloadBytes` long, and
/// gives where that payload belongs, for the caller to copy it there.
char* encodeHeader(const PublishHeader& header, std::size_t payloadBytes, char* out);
char* encodeHeader(const PublishOnceHeader& header, std::size_t payloadBytes, char* out);
char* encodeHeader(const RecalledHeader& header, std::size_t payloadBytes, char* out);
char* encodeHeader(const EventHeader& header, std::size_t payloadBytes, char* out);
char* encodeHeader(const EnqueueHeader& header, std::size_t payloadBytes, char* out);
char* encodeHeader(const JobHeader& header, std::size_t payloadBytes, char* out);

/// Of a whole frame that these encoders wrote, without decoding it: of Publish, IdempotentPublish
/// and Enqueue, and of Event.
[[nodiscard]] std::uint64_t writtenSequence(std::string_view frame);
[[nodiscard]] std::uint64_t writtenOffset(std::string_view event);

/// Appends a whole frame.
void appendPublish(const PublishHeader& header, std::string_view payload, std::string& out);
void appendPublishOnce(const PublishOnceHeader& header, std::string_view payload, std::string& out);
void appendRecalled(const RecalledHeader& header, std::string_view payload, std::string& out);
void appendEvent(const EventHeader& header, std::string_view payload, std::string& out);
void appendEnqueue(const EnqueueHeader& header, std::string_view payload, std::string& out);
void appendJob(const JobHeader& header, std::string_view payload, std::string& out);

}  // namespace stormo::channel
