#include "protocol/channel/packet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

using std::string_literals::operator""s;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

struct Sample {
  const char* name;
  std::string frame;
  std::size_t headBytes;  ///< Of the frame's payload: cut any shorter, it is not valid.
};

template <typename Encode>
Sample sample(const char* name, std::size_t headBytes, Encode encode) {
  std::string frame;
  encode(frame);
  return {name, frame, headBytes};
}

std::vector<Sample> oneOfEachKind() {
  return {
      sample("Hello", 20, [](auto& out) { appendHello(7, "secret", out); }),
      sample("Welcome", 28, [](auto& out) { appendWelcome(9, 10 << 20, out); }),
      sample("Refused", 4, [](auto& out) { appendRefused("no", out); }),
      sample("Subscribe", 6, [](auto& out) { appendSubscribe("ab", out); }),
      sample("SubscribeAgain", 6,
             [](auto& out) { appendSubscribe("ab", out, Space::Events, true); }),
      sample("Unsubscribe", 6, [](auto& out) { appendUnsubscribe("ab", out); }),
      sample("Publish", 14,
             [](auto& out) { appendPublish({.channel = "ab", .sequence = 3}, "hi", out); }),
      sample("Event", 38,
             [](auto& out) {
               appendEvent({.channel = "ab",
                            .epoch = 1,
                            .offset = 2,
                            .producerId = 3,
                            .sequence = 4,
                            .payloadKind = PayloadKind::Text},
                           "hi", out);
             }),
      sample("Ack", 12, [](auto& out) { appendAck(11, out); }),
      sample("Watch", 6, [](auto& out) { appendWatch("ab", out); }),
      sample("Unwatch", 6, [](auto& out) { appendUnwatch("ab", out); }),
      sample("Enqueue", 14,
             [](auto& out) { appendEnqueue({.channel = "ab", .sequence = 3}, "hi", out); }),
      sample("Reserve", 4, [](auto& out) { appendReserve(out); }),
      sample("Job", 6, [](auto& out) { appendJob({.channel = "ab"}, "hi", out); }),
      sample("Gap", 20, [](auto& out) { appendGap(5, 6, out); }),
      sample("Ping", 4, [](auto& out) { appendPing(out); }),
      sample("Pong", 4, [](auto& out) { appendPong(out); }),
      sample("Resume", 20, [](auto& out) { appendResume(5, 6, out); }),
      sample("HistoryRequest", 22, [](auto& out) { appendRecall("ab", 5, 6, out); }),
      sample("HistoryReply", 22,
             [](auto& out) {
               appendRecalled({.channel = "ab", .epoch = 5, .offset = 6, .whole = true}, "hi", out);
             }),
      sample("IdempotentPublish", 30,
             [](auto& out) {
               appendPublishOnce({.channel = "ab", .sequence = 3, .session = 4, .sendNumber = 5},
                                 "hi", out);
             }),
      sample("Rejected", 12, [](auto& out) { appendRejected(7, "no", true, out); }),
  };
}

Packet decoded(std::string_view frame) {
  Packet packet;
  EXPECT_EQ(decode(framePayload(frame), packet), Decode::Ok) << hex(frame);
  return packet;
}

bool isValid(std::string_view payload) {
  Packet packet;
  return decode(payload, packet) == Decode::Ok;
}

TEST(ChannelCodec, EveryFrameSaysItsOwnLength) {
  for (const Sample& s : oneOfEachKind()) {
    EXPECT_EQ(frameLength(s.frame, 1000), PackageLength::complete(s.frame.size())) << s.name;
  }
}

TEST(ChannelCodec, EveryKindIsDecodedAsItWasEncoded) {
  std::vector<Packet> packets;
  const std::vector<Sample> samples = oneOfEachKind();
  for (const Sample& s : samples) packets.push_back(decoded(s.frame));

  const auto expect = [&](std::size_t i, const Packet& want) {
    const Packet& got = packets[i];
    EXPECT_EQ(got.kind, want.kind) << samples[i].name;
    EXPECT_EQ(got.payloadKind, want.payloadKind) << samples[i].name;
    EXPECT_EQ(got.loop, want.loop) << samples[i].name;
    EXPECT_EQ(got.again, want.again) << samples[i].name;
    EXPECT_EQ(got.space, want.space) << samples[i].name;
    EXPECT_EQ(got.version, want.version) << samples[i].name;
    EXPECT_EQ(got.epoch, want.epoch) << samples[i].name;
    EXPECT_EQ(got.offset, want.offset) << samples[i].name;
    EXPECT_EQ(got.producerId, want.producerId) << samples[i].name;
    EXPECT_EQ(got.sequence, want.sequence) << samples[i].name;
    EXPECT_EQ(got.whole, want.whole) << samples[i].name;
    EXPECT_EQ(got.cut, want.cut) << samples[i].name;
    EXPECT_EQ(got.frameBytesMax, want.frameBytesMax) << samples[i].name;
    EXPECT_EQ(got.session, want.session) << samples[i].name;
    EXPECT_EQ(got.sendNumber, want.sendNumber) << samples[i].name;
    EXPECT_EQ(got.channel, want.channel) << samples[i].name;
    EXPECT_EQ(got.payload, want.payload) << samples[i].name;
  };
  expect(0,
         {.kind = Kind::Hello, .version = kProtocolVersion, .producerId = 7, .payload = "secret"});
  expect(
      1,
      {.kind = Kind::Welcome, .version = kProtocolVersion, .epoch = 9, .frameBytesMax = 10 << 20});
  expect(2, {.kind = Kind::Refused, .payload = "no"});
  expect(3, {.kind = Kind::Subscribe, .channel = "ab"});
  expect(4, {.kind = Kind::Subscribe, .again = true, .channel = "ab"});
  expect(5, {.kind = Kind::Unsubscribe, .channel = "ab"});
  expect(6, {.kind = Kind::Publish, .sequence = 3, .channel = "ab", .payload = "hi"});
  expect(7, {.kind = Kind::Event,
             .payloadKind = PayloadKind::Text,
             .epoch = 1,
             .offset = 2,
             .producerId = 3,
             .sequence = 4,
             .channel = "ab",
             .payload = "hi"});
  expect(8, {.kind = Kind::Ack, .sequence = 11});
  expect(9, {.kind = Kind::Watch, .channel = "ab"});
  expect(10, {.kind = Kind::Unwatch, .channel = "ab"});
  expect(11, {.kind = Kind::Enqueue, .sequence = 3, .channel = "ab", .payload = "hi"});
  expect(12, {.kind = Kind::Reserve});
  expect(13, {.kind = Kind::Job, .channel = "ab", .payload = "hi"});
  expect(14, {.kind = Kind::Gap, .epoch = 5, .offset = 6});
  expect(15, {.kind = Kind::Ping});
  expect(16, {.kind = Kind::Pong});
  expect(17, {.kind = Kind::Resume, .epoch = 5, .offset = 6});
  expect(18, {.kind = Kind::HistoryRequest,
              .space = Space::Groups,
              .epoch = 5,
              .offset = 6,
              .channel = "ab"});
  expect(19, {.kind = Kind::HistoryReply,
              .whole = true,
              .space = Space::Groups,
              .epoch = 5,
              .offset = 6,
              .channel = "ab",
              .payload = "hi"});
  expect(20, {.kind = Kind::IdempotentPublish,
              .payloadKind = PayloadKind::Text,
              .space = Space::Groups,
              .sequence = 3,
              .session = 4,
              .sendNumber = 5,
              .channel = "ab",
              .payload = "hi"});
  expect(21, {.kind = Kind::Rejected, .cut = true, .sequence = 7, .payload = "no"});
}

TEST(ChannelCodec, TheSequenceOfAPublishIsReadFromItsStart) {
  for (const Sample& s : oneOfEachKind()) {
    const std::string_view payload = framePayload(s.frame);
    const bool isNumbered =
        std::string_view(s.name).ends_with("Publish") || std::string_view(s.name) == "Enqueue";
    for (std::size_t n = 0; n <= payload.size(); ++n) {
      EXPECT_EQ(sequenceAtStart(payload.substr(0, n)), isNumbered && n >= 12 ? 3u : 0u)
          << s.name << " at " << n;
    }
  }
}

TEST(ChannelCodec, APayloadCutBeforeTheEndOfItsHeadIsInvalid) {
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

TEST(ChannelCodec, BytesBehindAKindWithoutPayloadAreInvalid) {
  for (const Sample& s : oneOfEachKind()) {
    const bool takesMore = s.frame.size() - kFrameHeaderBytes > s.headBytes;
    EXPECT_EQ(isValid(std::string(framePayload(s.frame)) + "x"), takesMore) << s.name;
  }
}

TEST(ChannelCodec, FlagsThatAKindDoesNotKnowAreInvalid) {
  const auto allowed = [](Kind kind, int flags) {
    if (kind == Kind::Publish && (flags & 0x04) != 0) return flags <= 0x06;
    if (kind == Kind::Publish || kind == Kind::Event) return (flags & ~0x10) <= 2;
    if (kind == Kind::Enqueue || kind == Kind::Job) return flags <= 2;
    if (kind == Kind::Subscribe) return (flags & ~0x18) == 0;
    if (kind == Kind::HistoryRequest) return flags == 0x10;
    if (kind == Kind::HistoryReply) return (flags & ~0x20) == 0x10;
    if (kind == Kind::IdempotentPublish) return flags >= 0x10 && flags <= 0x12;
    if (kind == Kind::Rejected) return (flags & ~0x40) == 0;
    if (kind == Kind::Unsubscribe) return (flags & ~0x10) == 0;
    return flags == 0;
  };
  for (const Sample& s : oneOfEachKind()) {
    for (int flags = 0; flags < 256; ++flags) {
      std::string payload(framePayload(s.frame));
      payload[2] = static_cast<char>(flags);
      EXPECT_EQ(isValid(payload), allowed(static_cast<Kind>(payload[1]), flags))
          << s.name << " with flags " << flags;
    }
  }
}

TEST(ChannelCodec, AGroupAndAChannelOfOneNameAreToldApart) {
  std::string frames[4];
  appendSubscribe("ab", frames[0], Space::Groups);
  appendSubscribe("ab", frames[1], Space::Groups, true);
  appendUnsubscribe("ab", frames[2], Space::Groups);
  appendPublish({.channel = "ab", .payloadKind = PayloadKind::Text, .space = Space::Groups}, "hi",
                frames[3]);
  std::string event;
  appendEvent({.channel = "ab", .payloadKind = PayloadKind::Text, .space = Space::Groups}, "hi",
              event);
  for (const std::string& frame : frames) EXPECT_EQ(decoded(frame).space, Space::Groups);
  EXPECT_TRUE(decoded(frames[1]).again);
  EXPECT_EQ(decoded(event).space, Space::Groups);
  EXPECT_EQ(decoded(event).payloadKind, PayloadKind::Text);
}

TEST(ChannelCodec, AForeignMagicOrAnUnknownKindIsInvalid) {
  std::string frame;
  appendPing(frame);
  for (int byte = 0; byte < 256; ++byte) {
    std::string payload(framePayload(frame));
    payload[0] = static_cast<char>(byte);
    EXPECT_EQ(isValid(payload), byte == 'Q') << byte;
    payload[0] = 'Q';
    payload[1] = static_cast<char>(byte);
    const bool bare = byte == 3 || byte == 12 || byte == 15 || byte == 16;
    EXPECT_EQ(isValid(payload), bare) << "kind " << byte;
  }
}

TEST(ChannelCodec, AChannelIsThereExactlyWhereTheKindHasOne) {
  for (const Sample& s : oneOfEachKind()) {
    std::string payload(framePayload(s.frame));
    const bool hasChannel = payload[3] != 0;
    // The name's bytes become the payload's first, or the other way round.
    payload[3] = static_cast<char>(hasChannel ? 0 : 1);
    payload += "xxxx";
    EXPECT_FALSE(isValid(payload)) << s.name;
  }
}

TEST(ChannelCodec, AChannelLongerThanTheFrameIsInvalid) {
  std::string frame;
  appendPublish({.channel = "ab", .sequence = 3}, "hi", frame);
  frame[7] = '\xff';
  EXPECT_FALSE(isValid(framePayload(frame)));
  frame[7] = 4;
  EXPECT_EQ(decoded(frame).channel, "abhi");
  EXPECT_EQ(decoded(frame).payload, "");
}

TEST(ChannelCodec, NamesOf255BytesAndAnyBytesInNamesAndPayloadsPassUnchanged) {
  const std::string name = "\0\xff"s + std::string(253, 'n');
  const std::string payload = "\0\r\n\xff a:1:{"s;
  std::string frame;
  appendPublish(
      {.channel = name, .sequence = ~0ull, .payloadKind = PayloadKind::Binary, .loop = true},
      payload, frame);
  const Packet packet = decoded(frame);
  EXPECT_EQ(packet.channel, name);
  EXPECT_EQ(packet.payload, payload);
  EXPECT_EQ(packet.sequence, ~0ull);
  EXPECT_EQ(packet.payloadKind, PayloadKind::Binary);
  EXPECT_TRUE(packet.loop);
}

TEST(ChannelCodec, ASecretIsBoundedAndAHelloOfAnyVersionIsUnderstood) {
  std::string frame;
  appendHello(7, std::string(kSecretBytesMax, 's'), frame);
  EXPECT_EQ(frame.size(), kHelloFrameBytesMax);
  EXPECT_TRUE(isValid(framePayload(frame)));
  EXPECT_FALSE(isValid(std::string(framePayload(frame)) + "s"));
  frame[15] = 99;
  EXPECT_EQ(decoded(frame).version, 99u);
}

TEST(ChannelCodec, HeadersWrittenInPlaceEqualAppendedFrames) {
  const auto check = [](const auto& header,
                        void (*append)(decltype(header), std::string_view, std::string&)) {
    const std::string payload = "payload";
    std::string appended = "before";
    append(header, payload, appended);

    std::string placed(headerBytes(header) + payload.size(), '?');
    char* at = encodeHeader(header, payload.size(), placed.data());
    ASSERT_EQ(at, placed.data() + headerBytes(header));
    payload.copy(at, payload.size());
    EXPECT_EQ(hex("before" + placed), hex(appended));
  };
  check(PublishHeader{.channel = "ab", .sequence = 1, .loop = true}, &appendPublish);
  check(EventHeader{.channel = "ab", .epoch = 1, .offset = 2, .producerId = 3, .sequence = 4},
        &appendEvent);
  check(PublishOnceHeader{.channel = "ab", .sequence = 1, .session = 2, .sendNumber = 3},
        &appendPublishOnce);
  check(RecalledHeader{.channel = "ab", .epoch = 1, .offset = 2, .whole = true}, &appendRecalled);
  check(EnqueueHeader{.channel = "ab", .sequence = 1}, &appendEnqueue);
  check(JobHeader{.channel = "ab", .payloadKind = PayloadKind::Binary}, &appendJob);
}

TEST(ChannelCodec, TheFirstByteTellsTheDialects) {
  std::string frame;
  appendHello(7, "", frame);
  EXPECT_EQ(dialectOf(framePayload(frame)), Dialect::Stormo);
  EXPECT_EQ(dialectOf("a:1:{s:4:\"type\";s:7:\"reserve\";}"), Dialect::Workerman);
  EXPECT_EQ(dialectOf(""), Dialect::Workerman);
}

TEST(ChannelCodecDeathTest, ANameThatCannotBeWrittenIsABugOfTheCaller) {
  std::string out;
  EXPECT_DEATH(appendSubscribe("", out), "assertion failed");
  EXPECT_DEATH(appendSubscribe(std::string(256, 'n'), out), "assertion failed");
  EXPECT_DEATH(appendPublish({.channel = ""}, "", out), "assertion failed");
}

TEST(ChannelCodec, TheDocumentShowsWhatTheEncoderWrites) {
  std::ifstream file(STORMO_SOURCE_DIR "/docs/channel-protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string document = text.str();
  ASSERT_FALSE(document.empty());

  const auto shows = [&](std::string_view frame) {
    // In the document a frame is broken into lines, each with its meaning behind two spaces.
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
  std::string publish, event, hello;
  appendHello(0x0123456789abcdef, "s3cret", hello);
  appendPublish(
      {.channel = "123", .sequence = 1, .payloadKind = PayloadKind::Text, .space = Space::Groups},
      "ciao", publish);
  appendEvent({.channel = "123",
               .epoch = 0x65f0,
               .offset = 42,
               .producerId = 0x0123456789abcdef,
               .sequence = 1,
               .payloadKind = PayloadKind::Text,
               .space = Space::Groups},
              "ciao", event);
  EXPECT_TRUE(shows(hello)) << hex(hello);
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
