#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "protocol/channel/packet_samples.h"
#include "protocol/channel/proof.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

Packet decoded(std::string_view frame) {
  Packet packet;
  EXPECT_EQ(decode(framePayload(frame), packet), Decode::Ok) << hex(frame);
  return packet;
}

bool isValid(std::string_view payload) {
  Packet packet;
  return decode(payload, packet) == Decode::Ok;
}

TEST(ChannelCodec, EveryFrameStatesItsLength) {
  for (const Sample& s : oneOfEachKind()) {
    EXPECT_EQ(frameLength(s.frame, 1000), PackageLength::complete(s.frame.size())) << s.name;
  }
}

TEST(ChannelCodec, EveryKindIsDecodedAsItWasEncoded) {
  for (const Sample& s : oneOfEachKind()) {
    const Packet got = decoded(s.frame);
    const Packet& want = s.packet;
    EXPECT_EQ(got.kind, want.kind) << s.name;
    EXPECT_EQ(got.payloadKind, want.payloadKind) << s.name;
    EXPECT_EQ(got.loop, want.loop) << s.name;
    EXPECT_EQ(got.again, want.again) << s.name;
    EXPECT_EQ(got.whole, want.whole) << s.name;
    EXPECT_EQ(got.cut, want.cut) << s.name;
    EXPECT_EQ(got.blocked, want.blocked) << s.name;
    EXPECT_EQ(got.derived, want.derived) << s.name;
    EXPECT_EQ(got.jobCount, want.jobCount) << s.name;
    EXPECT_EQ(got.job, want.job) << s.name;
    EXPECT_EQ(got.space, want.space) << s.name;
    EXPECT_EQ(got.version, want.version) << s.name;
    EXPECT_EQ(got.epoch, want.epoch) << s.name;
    EXPECT_EQ(got.offset, want.offset) << s.name;
    EXPECT_EQ(got.producerId, want.producerId) << s.name;
    EXPECT_EQ(got.sequence, want.sequence) << s.name;
    EXPECT_EQ(got.session, want.session) << s.name;
    EXPECT_EQ(got.sendNumber, want.sendNumber) << s.name;
    EXPECT_EQ(got.frameBytesMax, want.frameBytesMax) << s.name;
    EXPECT_EQ(got.channel, want.channel) << s.name;
    EXPECT_EQ(got.payload, want.payload) << s.name;
  }
}

TEST(ChannelCodec, EveryHeaderHasTheBytesThatTheDocumentStates) {
  for (const Sample& s : oneOfEachKind()) {
    EXPECT_EQ(headerBytes(s.packet), kFrameHeaderBytes + s.headBytes) << s.name;
    EXPECT_EQ(s.frame.size(), headerBytes(s.packet) + s.packet.payload.size()) << s.name;
  }
}

TEST(ChannelCodec, TheSequenceOfAPublishIsReadFromItsStart) {
  for (const Sample& s : oneOfEachKind()) {
    const std::string_view payload = framePayload(s.frame);
    const bool isNumbered = channel::isNumbered(s.packet.kind);
    for (std::size_t n = 0; n <= payload.size(); ++n) {
      EXPECT_EQ(sequenceAtStart(payload.substr(0, n)), isNumbered && n >= 12 ? 3u : 0u)
          << s.name << " at " << n;
    }
  }
}

TEST(ChannelCodec, APayloadCutInItsHeaderIsInvalid) {
  for (const Sample& s : oneOfEachKind()) {
    const std::string_view payload = framePayload(s.frame);
    for (std::size_t n = 0; n <= payload.size(); ++n) {
      // Its own allocation, so that a sanitizer sees a read beyond the cut.
      const std::vector<char> cut(payload.begin(),
                                  payload.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(isValid({cut.data(), cut.size()}), n >= s.headBytes) << s.name << " at " << n;
    }
  }
}

TEST(ChannelCodec, TrailingBytesOfAKindWithoutPayloadAreInvalid) {
  for (const Sample& s : oneOfEachKind()) {
    const bool takesMore = s.frame.size() - kFrameHeaderBytes > s.headBytes;
    EXPECT_EQ(isValid(std::string(framePayload(s.frame)) + "x"), takesMore) << s.name;
  }
}

TEST(ChannelCodec, FlagsOfAnotherKindAreInvalid) {
  const auto allowed = [](Kind kind, int flags) {
    if (kind == Kind::Publish && (flags & 0x04) != 0) return (flags & ~0x08) <= 0x06;
    if (kind == Kind::Publish) return (flags & ~0x18) <= 2;
    if (kind == Kind::Event) return (flags & ~0x90) <= 2;
    if (kind == Kind::Retain || kind == Kind::Receipt || kind == Kind::Pong) {
      return (flags & ~0x08) == 0;
    }
    if (kind == Kind::Enqueue || kind == Kind::Job) return flags <= 2;
    if (kind == Kind::Subscribe) return (flags & ~0x18) == 0;
    if (kind == Kind::HistoryRequest) return flags == 0x10;
    if (kind == Kind::HistoryReply) return (flags & ~0x20) == 0x10;
    if (kind == Kind::IdempotentPublish) return flags >= 0x10 && (flags & ~0x08) <= 0x12;
    if (kind == Kind::Rejected) return (flags & ~0x40) == 0;
    if (kind == Kind::Unsubscribe) return (flags & ~0x10) == 0;
    return flags == 0;
  };
  for (const Sample& s : oneOfEachKind()) {
    if (!s.packet.except.empty()) continue;  // that flag changes the form of the rest
    for (int flags = 0; flags < 256; ++flags) {
      std::string payload(framePayload(s.frame));
      payload[2] = static_cast<char>(flags);
      EXPECT_EQ(isValid(payload), allowed(static_cast<Kind>(payload[1]), flags))
          << s.name << " with flags " << flags;
    }
  }
}

TEST(ChannelCodec, AGroupAndAnEventOfTheSameNameAreDistinguished) {
  for (const Kind kind : {Kind::Subscribe, Kind::Unsubscribe, Kind::Publish, Kind::Event}) {
    Packet packet{.kind = kind, .space = Space::Groups, .channel = "ab"};
    const std::string group = encode(packet);
    packet.space = Space::Events;
    const std::string event = encode(packet);
    EXPECT_EQ(decoded(group).space, Space::Groups);
    EXPECT_EQ(decoded(event).space, Space::Events);
  }
}

TEST(ChannelCodec, AForeignMagicOrAnUnknownKindIsInvalid) {
  const std::string frame = encode({.kind = Kind::Ping});
  for (int byte = 0; byte < 256; ++byte) {
    std::string payload(framePayload(frame));
    payload[0] = static_cast<char>(byte);
    EXPECT_EQ(isValid(payload), byte == 'Q') << byte;
    payload[0] = 'Q';
    payload[1] = static_cast<char>(byte);
    constexpr Kind kBare[] = {Kind::Refused, Kind::Reserve,   Kind::Ping,
                              Kind::Pong,    Kind::Challenge, Kind::Proof};
    const bool bare = std::ranges::find(kBare, static_cast<Kind>(byte)) != std::end(kBare);
    EXPECT_EQ(isValid(payload), bare) << "kind " << byte;
  }
}

TEST(ChannelCodec, AMissingOrUnexpectedChannelIsInvalid) {
  for (const Sample& s : oneOfEachKind()) {
    std::string payload(framePayload(s.frame));
    const bool hasChannel = payload[3] != 0;
    // The bytes of the name become the start of the payload, or the reverse.
    payload[3] = static_cast<char>(hasChannel ? 0 : 1);
    payload += "xxxx";
    EXPECT_FALSE(isValid(payload)) << s.name;
  }
}

TEST(ChannelCodec, AChannelLongerThanTheFrameIsInvalid) {
  std::string frame =
      encode({.kind = Kind::Publish, .sequence = 3, .channel = "ab", .payload = "hi"});
  frame[7] = '\xff';
  EXPECT_FALSE(isValid(framePayload(frame)));
  frame[7] = 4;
  EXPECT_EQ(decoded(frame).channel, "abhi");
  EXPECT_EQ(decoded(frame).payload, "");
}

TEST(ChannelCodec, NamesOf255BytesAndAnyBytesAreKeptUnchanged) {
  const std::string name = "\0\xff"s + std::string(253, 'n');
  const std::string payload = "\0\r\n\xff a:1:{"s;
  const std::string frame = encode({.kind = Kind::Publish,
                                    .payloadKind = PayloadKind::Binary,
                                    .loop = true,
                                    .sequence = ~0ull,
                                    .channel = name,
                                    .payload = payload});
  const Packet packet = decoded(frame);
  EXPECT_EQ(packet.channel, name);
  EXPECT_EQ(packet.payload, payload);
  EXPECT_EQ(packet.sequence, ~0ull);
  EXPECT_EQ(packet.payloadKind, PayloadKind::Binary);
  EXPECT_TRUE(packet.loop);
}

TEST(ChannelCodec, ASecretIsLimitedAndAHelloOfAnyVersionIsDecoded) {
  const std::string secret(kSecretBytesMax, 's');
  std::string frame = encode({.kind = Kind::Hello, .version = kProtocolVersion, .payload = secret});
  EXPECT_EQ(frame.size(), kHelloFrameBytesMax);
  EXPECT_TRUE(isValid(framePayload(frame)));
  EXPECT_FALSE(isValid(std::string(framePayload(frame)) + "s"));
  frame[15] = 99;
  EXPECT_EQ(decoded(frame).version, 99u);
}

TEST(ChannelCodec, ExceptionsAreNamesWithTheirLengths) {
  const auto eventWith = [](std::string_view list) {
    const std::string listBytes{'\0', static_cast<char>(list.size())};
    return "Q\7\x51\1"s + std::string(16, '\0') + "g" + listBytes + std::string(list) + "message";
  };
  Packet packet;
  const std::string whole = eventWith(
      "\1a\3"
      "bcd");
  ASSERT_EQ(decode(whole, packet), Decode::Ok);
  EXPECT_EQ(packet.except,
            "\1a\3"
            "bcd");
  EXPECT_EQ(packet.payload, "message");
  for (const std::string_view bad : {""sv, "\0"sv, "\2a"sv, "\1a\0"sv, "\1a\x09z"sv}) {
    EXPECT_FALSE(isValid(eventWith(bad))) << hex(bad);
  }
}

TEST(ChannelCodec, AHeaderWrittenInPlaceEqualsTheStartOfTheEncodedFrame) {
  for (const Sample& s : oneOfEachKind()) {
    const std::string_view payload = s.packet.payload;
    std::string placed(headerBytes(s.packet) + payload.size(), '?');
    char* const at = encodeHeader(s.packet, payload.size(), placed.data());
    ASSERT_EQ(at, placed.data() + headerBytes(s.packet)) << s.name;
    payload.copy(at, payload.size());
    EXPECT_EQ(hex(placed), hex(s.frame)) << s.name;

    std::string appended = "before";
    encode(s.packet, appended);
    EXPECT_EQ(hex(appended), hex("before" + s.frame)) << s.name;
  }
}

TEST(ChannelCodec, TheFirstByteDeterminesTheDialect) {
  const std::string frame = encode({.kind = Kind::Hello, .version = kProtocolVersion});
  EXPECT_EQ(dialectOf(framePayload(frame)), Dialect::Stormo);
  EXPECT_EQ(dialectOf("a:1:{s:4:\"type\";s:7:\"reserve\";}"), Dialect::Workerman);
  EXPECT_EQ(dialectOf(""), Dialect::Workerman);
}

TEST(ChannelCodecDeathTest, APacketThatNoDecoderAcceptsIsABugOfTheCaller) {
  const std::string tooLong(256, 'n');
  const Packet bad[] = {
      {.kind = Kind::Subscribe},
      {.kind = Kind::Subscribe, .channel = tooLong},
      {.kind = Kind::Subscribe, .channel = "ab", .payload = "none has a payload"},
      {.kind = Kind::Ack, .channel = "none has a channel"},
      {.kind = Kind::Publish, .again = true, .channel = "ab"},
      {.kind = Kind::Subscribe, .receipt = true, .channel = "ab"},
      {.kind = Kind::Publish, .channel = "ab", .except = "\1a"},
      {.kind = Kind::Publish, .space = Space::Groups, .channel = "ab", .except = "\2a"},
      {.kind = Kind::Publish, .loop = true, .space = Space::Groups, .channel = "ab"},
      {.kind = Kind::IdempotentPublish, .space = Space::Events, .channel = "ab"},
      {.kind = Kind::Hello, .payload = tooLong},
      {.kind = static_cast<Kind>(0)},
  };
  std::string out;
  for (const Packet& packet : bad) EXPECT_DEATH(encode(packet, out), "assertion failed");
}

TEST(ChannelCodec, TheDocumentShowsWhatTheEncoderWrites) {
  std::ifstream file(STORMO_SOURCE_DIR "/docs/channel-protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string document = text.str();
  ASSERT_FALSE(document.empty());

  const auto shows = [&](std::string_view frame) {
    // The document breaks a frame into lines, each with a description after two spaces.
    std::string shown;
    std::istringstream lines(document);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("    ")) continue;
      const std::size_t end = line.find("  ", 4);
      std::string bytes = line.substr(4, end == std::string::npos ? end : end - 4);
      if (bytes.find_first_not_of("0123456789abcdef ") != std::string::npos) continue;
      std::erase(bytes, ' ');
      shown += bytes;
    }
    return shown.find(hex(frame)) != std::string::npos;
  };
  const std::string hello =
      encode({.kind = Kind::Hello, .version = kProtocolVersion, .producerId = 0x0123456789abcdef});
  std::string random;
  for (char byte = 0; byte < 32; ++byte) random.push_back(byte);
  const std::string challenge = encode({.kind = Kind::Challenge, .payload = random});
  const std::string sent = proofOf("s3cret", random, 0x0123456789abcdef);
  const std::string proof = encode({.kind = Kind::Proof, .payload = sent});
  const std::string publish = encode({.kind = Kind::Publish,
                                      .payloadKind = PayloadKind::Text,
                                      .space = Space::Groups,
                                      .sequence = 1,
                                      .channel = "123",
                                      .payload = "ciao"});
  const std::string event = encode({.kind = Kind::Event,
                                    .payloadKind = PayloadKind::Text,
                                    .space = Space::Groups,
                                    .epoch = 0x65f0,
                                    .offset = 42,
                                    .channel = "123",
                                    .payload = "ciao"});
  EXPECT_TRUE(shows(hello)) << hex(hello);
  EXPECT_TRUE(shows(challenge)) << hex(challenge);
  EXPECT_TRUE(shows(proof)) << hex(proof);
  EXPECT_TRUE(shows(publish)) << hex(publish);
  EXPECT_TRUE(shows(event)) << hex(event);

  const std::string_view channels[] = {"123"};
  std::string payload, workerman;
  encodeWorkerman(CommandType::Publish, channels, "s:4:\"ciao\";", payload);
  appendFrame(payload, workerman);
  EXPECT_TRUE(shows(workerman)) << hex(workerman);
}

}  // namespace
}  // namespace stormo::channel
