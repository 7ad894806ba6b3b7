// The client's side of protocol/websocket/frame.h.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "protocol/websocket/frame.h"
#include "protocol/websocket/wire.h"

namespace stormo::websocket {
namespace {

using wire::bytes;
using wire::serverFrame;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
// The limits of each length encoding, and the bytes of the header that has it.
constexpr std::pair<std::size_t, std::size_t> kLengths[] = {{0, 2},   {1, 2},     {125, 2},
                                                            {126, 4}, {65535, 4}, {65536, 10}};

Decode judge(std::string_view in, std::uint64_t payloadBytesMax = kNoLimit) {
  ServerFrame frame;
  return decodeServerFrame(in, payloadBytesMax, frame);
}

TEST(ServerFrame, OfTheUnmaskedHelloOfTheRfcIsDecoded) {  // 5.7
  const auto in = bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f});
  ServerFrame frame;
  ASSERT_EQ(decodeServerFrame(in, kNoLimit, frame), Decode::Ok);
  EXPECT_TRUE(frame.fin);
  EXPECT_EQ(frame.opcode, Opcode::Text);
  EXPECT_EQ(frame.payload, "Hello");
  EXPECT_EQ(frame.bytes, 7u);
}

TEST(ServerFrame, CutAtAnyByteNeedsMoreAndLeavesOutUntouched) {
  for (const auto& [payloadBytes, headerBytes] : kLengths) {
    const std::string whole = serverFrame(0x82, std::string(payloadBytes, 'z'));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      ServerFrame frame{.opcode = Opcode::Close, .payload = "untouched", .bytes = 77};
      const std::string_view cut = std::string_view(whole).substr(0, n);
      ASSERT_EQ(decodeServerFrame(cut, kNoLimit, frame), Decode::NeedMore) << n;
      ASSERT_EQ(frame.opcode, Opcode::Close) << n;
      ASSERT_EQ(frame.payload, "untouched") << n;
      ASSERT_EQ(frame.bytes, 77u) << n;
    }
  }
}

TEST(ServerFrame, IsDecodedInEachLengthEncodingWithoutACopy) {
  for (const auto& [payloadBytes, headerBytes] : kLengths) {
    const std::string payload(payloadBytes, 'z');
    const std::string stream = serverFrame(0x82, payload) + serverFrame(0x81, "next");
    ServerFrame frame;
    ASSERT_EQ(decodeServerFrame(stream, kNoLimit, frame), Decode::Ok) << payloadBytes;
    EXPECT_EQ(frame.opcode, Opcode::Binary);
    EXPECT_EQ(frame.payload, payload);
    EXPECT_EQ(frame.payload.data(), stream.data() + headerBytes);
    EXPECT_EQ(frame.bytes, headerBytes + payloadBytes);
    const std::string_view rest = std::string_view(stream).substr(frame.bytes);
    ASSERT_EQ(decodeServerFrame(rest, kNoLimit, frame), Decode::Ok);
    EXPECT_EQ(frame.payload, "next");
  }
}

TEST(ServerFrame, MayBeAFragmentOrAControlFrame) {
  for (const int first : {0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8a}) {
    ServerFrame frame;
    ASSERT_EQ(decodeServerFrame(serverFrame(first, "!"), kNoLimit, frame), Decode::Ok) << first;
    EXPECT_EQ(frame.fin, (first & 0x80) != 0) << first;
    EXPECT_EQ(static_cast<int>(frame.opcode), first & 0x0f);
    EXPECT_EQ(frame.bytes, 3u);
  }
}

TEST(ServerFrame, MaskedIsRejectedAtItsSecondByte) {  // 5.1
  EXPECT_EQ(judge(wire::frame(0x81, "hello")), Decode::ProtocolError);
  EXPECT_EQ(judge(bytes({0x81, 0x80})), Decode::ProtocolError);
  EXPECT_EQ(judge(bytes({0x89, 0xff})), Decode::ProtocolError);
  EXPECT_STREQ(explainServerProtocolError(bytes({0x81, 0x80})), "frame is masked");
}

TEST(ServerFrame, WithReservedBitsOrAReservedOpcodeIsRejectedAtItsFirstByte) {  // 5.2, 5.5
  for (int first = 0; first < 256; ++first) {
    const int opcode = first & 0x0f;
    const bool isData = opcode <= 2;
    const bool isWholeControl = opcode >= 8 && opcode <= 10 && first >= 0x80;
    const bool isGood = (first & 0x70) == 0 && (isData || isWholeControl);
    EXPECT_EQ(judge(serverFrame(first, "x")), isGood ? Decode::Ok : Decode::ProtocolError) << first;
    EXPECT_EQ(judge(bytes({first})), isGood ? Decode::NeedMore : Decode::ProtocolError) << first;
  }
  EXPECT_STREQ(explainServerProtocolError(bytes({0xc1})), "reserved bits are set");
  EXPECT_STREQ(explainServerProtocolError(bytes({0x83})), "reserved opcode");
  EXPECT_STREQ(explainServerProtocolError(bytes({0x09})), "fragmented control frame");
}

TEST(ServerFrame, OverTheLimitIsRejectedWhenItsLengthIsKnown) {
  EXPECT_EQ(judge(serverFrame(0x82, std::string(10, 'x')), 10), Decode::Ok);
  EXPECT_EQ(judge(bytes({0x82, 11}), 10), Decode::TooBig);
  EXPECT_EQ(judge(bytes({0x82, 126, 0x04, 0x00}), 1024), Decode::NeedMore);
  EXPECT_EQ(judge(bytes({0x82, 126, 0x04, 0x01}), 1024), Decode::TooBig);
  EXPECT_EQ(judge(bytes({0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0}), 1 << 30), Decode::NeedMore);
  EXPECT_EQ(judge(bytes({0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 1}), 1 << 30), Decode::TooBig);
  EXPECT_EQ(judge(serverFrame(0x89, "a ping"), 0), Decode::Ok);
}

TEST(ServerFrame, OfAControlFrameHasAtMost125BytesOfPayload) {  // 5.5
  for (const int first : {0x88, 0x89, 0x8a}) {
    EXPECT_EQ(judge(serverFrame(first, std::string(125, 'x'))), Decode::Ok);
    EXPECT_EQ(judge(bytes({first, 126})), Decode::ProtocolError);
  }
}

TEST(ServerFrame, MustEncodeItsLengthMinimallyIn63Bits) {  // 5.2
  EXPECT_EQ(judge(bytes({0x81, 126, 0, 125})), Decode::ProtocolError);
  EXPECT_EQ(judge(bytes({0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff})), Decode::ProtocolError);
  EXPECT_EQ(judge(bytes({0x82, 127, 0x80})), Decode::ProtocolError);
  // The greatest length does not wrap around when the header is added.
  EXPECT_EQ(judge(bytes({0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255, 'x'})),
            Decode::NeedMore);
}

TEST(ClientFrame, OfTheMaskedHelloOfTheRfcIsEncoded) {  // 5.7
  std::string out = "before ";
  appendClientFrame(Opcode::Text, "Hello", kExampleMask, out);
  EXPECT_EQ(out,
            "before " + bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
}

TEST(ClientFrame, OfEveryLengthEncodingIsDecodedByTheServersDecoder) {
  const char mask[4] = {'\x80', 0, '\xff', 1};
  std::string stream;
  std::vector<wire::Seen> expected;
  for (const auto& [payloadBytes, headerBytes] : kLengths) {
    const std::string payload(payloadBytes, 'y');
    const std::size_t begin = stream.size();
    appendClientFrame(Opcode::Binary, payload, mask, stream);
    EXPECT_EQ(stream.size() - begin, headerBytes + 4 + payloadBytes);
    expected.push_back(wire::binary(payload));
  }
  appendClientFrame(Opcode::Pong, "ping's", mask, stream);
  expected.push_back(wire::pong("ping's"));
  wire::Reader reader;
  EXPECT_EQ(reader.read(stream).seen(), expected);
  EXPECT_TRUE(reader.atRest());
}

TEST(ClientFrame, IsMaskedWhileItIsCopied) {
  const char mask[4] = {1, '\x80', 0, '\xff'};
  for (std::size_t bytes = 0; bytes < 100; ++bytes) {
    std::string payload(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) payload[i] = static_cast<char>(i * 7);
    std::string copied(bytes + 1, '!');
    copyMasked(payload, mask, copied.data());
    EXPECT_EQ(copied.back(), '!');
    for (std::size_t i = 0; i < bytes; ++i) {
      ASSERT_EQ(copied[i], static_cast<char>(payload[i] ^ mask[i % 4])) << i << " of " << bytes;
    }
  }
}

TEST(ClientFrame, ThatIsCompressedHasRsv1) {
  char header[kClientHeaderBytesMax];
  const std::size_t bytes = encodeMaskedHeader(Opcode::Text, 300, kExampleMask, header, true);
  FrameHeader decoded;
  ASSERT_EQ(decodeHeader({header, bytes}, kNoLimit, decoded, Compression::Negotiated), Decode::Ok);
  EXPECT_TRUE(decoded.compressed);
  EXPECT_EQ(decoded.payloadBytes, 300u);
}

TEST(ServerStream, CutAnywhereHasTheSameEvents) {
  const std::string stream = serverFrame(0x81, "whole") + serverFrame(0x01, "be") +
                             serverFrame(0x89, "ping") + serverFrame(0x00, "") +
                             serverFrame(0x80, "gun") + serverFrame(0x82, std::string(300, 'b')) +
                             serverFrame(0x88, bytes({0x0f, 0xa0}) + "bye");
  const std::vector<wire::Seen> expected = {
      wire::text("whole"), wire::ping("ping"), wire::text("begun"),
      wire::binary(std::string(300, 'b')), wire::close(4000, "bye")};
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    wire::Reader reader;
    reader.ofServer().read(stream.substr(0, cut)).read(stream.substr(cut));
    ASSERT_EQ(reader.seen(), expected) << cut;
  }
}

TEST(ServerStream, WithAMaskedFrameIsRejected) {  // 5.1
  wire::Reader reader;
  EXPECT_EQ(reader.ofServer().read(wire::frame(0x81, "hello")).seen(),
            std::vector<wire::Seen>{wire::violation(1002)});
  EXPECT_EQ(reader.reason(), "frame is masked");
}

}  // namespace
}  // namespace stormo::websocket
