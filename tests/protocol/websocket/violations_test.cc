// Violations by a peer, after the cases of the Autobahn test suite.
#include <gtest/gtest.h>

#include <limits>

#include "protocol/websocket/decoder.h"
#include "protocol/websocket/wire.h"

namespace stormo::websocket {
namespace {

using wire::bytes;
using wire::frame;
using wire::ping;
using wire::Reader;
using wire::Seen;
using wire::text;
using wire::violation;

/// Expects the same events wherever the stream is cut, and the last one at its last byte or
/// earlier.
void expectSeen(const std::string& stream, const std::vector<Seen>& expected,
                std::uint64_t messageBytesMax = 1 << 20) {
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Reader reader(messageBytesMax);
    reader.read(stream.substr(0, cut)).read(stream.substr(cut));
    ASSERT_EQ(reader.seen(), expected) << "cut at " << cut;
  }
  Reader single(messageBytesMax);
  for (const char c : stream) single.read({&c, 1});
  EXPECT_EQ(single.seen(), expected);
  EXPECT_FALSE(single.atRest());
}

/// The same, with the last event exactly at the last byte.
void expectSeenAtLastByte(const std::string& stream, const std::vector<Seen>& expected) {
  expectSeen(stream, expected);
  const Reader before = Reader().read(std::string_view(stream).substr(0, stream.size() - 1));
  EXPECT_EQ(before.seen().size(), expected.size() - 1);
}

TEST(DecoderRejects, AnUnmaskedFrame) {
  expectSeenAtLastByte(bytes({0x81, 0x05}), {violation(1002)});
  expectSeen(bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), {violation(1002)});
}

TEST(DecoderRejects, AControlFrameOfMoreThan125Bytes) {  // 2.5
  expectSeen(frame(0x89, std::string(126, 'x')), {violation(1002)});
  expectSeen(frame(0x88, std::string(126, 'x')), {violation(1002)});
}

TEST(DecoderRejects, ReservedBits) {  // 3.x
  for (int bits = 0x10; bits <= 0x70; bits += 0x10) {
    expectSeenAtLastByte(std::string(1, static_cast<char>(0x81 | bits)), {violation(1002)});
    expectSeen(frame(0x81, "Hello") + frame(0x81 | bits, "Hello") + frame(0x89, ""),
               {text("Hello"), violation(1002)});
    expectSeen(frame(0x82 | bits, ""), {violation(1002)});
    expectSeen(frame(0x89 | bits, "Hello"), {violation(1002)});
    expectSeen(frame(0x88 | bits, ""), {violation(1002)});
  }
}

TEST(DecoderRejects, ReservedOpcodes) {  // 4.x
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expectSeenAtLastByte(std::string(1, static_cast<char>(0x80 | opcode)), {violation(1002)});
    expectSeen(frame(0x81, "Hello") + frame(0x80 | opcode, "") + frame(0x89, ""),
               {text("Hello"), violation(1002)});
  }
}

TEST(DecoderRejects, FragmentedControlFrames) {  // 5.1, 5.2
  expectSeen(frame(0x09, "frag") + frame(0x80, "ment"), {violation(1002)});
  expectSeen(frame(0x0a, "frag") + frame(0x80, "ment"), {violation(1002)});
  expectSeen(frame(0x08, ""), {violation(1002)});
}

TEST(DecoderRejects, AContinuationWithoutAStart) {  // 5.9 to 5.14
  expectSeenAtLastByte(bytes({0x80}), {violation(1002)});
  expectSeen(frame(0x80, "x") + frame(0x81, "Hello"), {violation(1002)});
  expectSeen(frame(0x00, "x") + frame(0x81, "Hello"), {violation(1002)});
  expectSeen(frame(0x81, "done") + frame(0x80, "x"), {text("done"), violation(1002)});
  expectSeen(frame(0x01, "do") + frame(0x80, "ne") + frame(0x80, "x"),
             {text("done"), violation(1002)});
  EXPECT_EQ(Reader().read(frame(0x80, "x")).reason(), "continuation of nothing");
}

TEST(DecoderRejects, ANewMessageInsideAFragmentedOne) {  // 5.18
  expectSeen(frame(0x01, "frag") + frame(0x81, "ment"), {violation(1002)});
  expectSeen(frame(0x01, "frag") + frame(0x01, "ment"), {violation(1002)});
  expectSeen(frame(0x02, "frag") + frame(0x89, "") + frame(0x82, "ment"),
             {ping(""), violation(1002)});
  expectSeenAtLastByte(frame(0x01, "") + bytes({0x82}), {violation(1002)});
}

TEST(DecoderRejects, InvalidUtf8InACompleteMessage) {  // 6.3, 6.12 to 6.21
  const std::string invalid[] = {
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65",  // a surrogate in it
      "\xf4\x90\x80\x80",                                              // U+110000
      "\xf8\x88\x80\x80\x80",                                          // five bytes
      "\xc0\xaf",                                                      // overlong
      "\xe0\x80\xaf",
      "\xf0\x80\x80\xaf",
      "\xed\xbf\xbf",
      "\x80",
      "\xfe",
      "\xff",
      "\xc3",  // ends inside a character
      "\xe2\x82",
      "\xf0\x9f\x8c",
      std::string(200, 'a') + "\xff",
      std::string(200, 'a') + "\xe2\x82",
  };
  for (const std::string& payload : invalid) {
    expectSeen(frame(0x81, payload), {violation(1007)});
    expectSeen(frame(0x01, payload) + frame(0x80, ""), {violation(1007)});
    expectSeen(frame(0x01, "") + frame(0x80, payload), {violation(1007)});
  }
}

TEST(DecoderRejects, InvalidUtf8BeforeItsFrameIsComplete) {  // 6.4
  const std::string valid = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  const std::string whole = frame(0x81, valid + "\xf4\x90\x80\x80" + std::string(100, 'x'));
  const std::size_t bad = 6 + valid.size() + 1;  // the second byte of the sequence decides
  expectSeenAtLastByte(whole.substr(0, bad + 1), {violation(1007)});
  EXPECT_TRUE(Reader().read(whole.substr(0, bad)).seen().empty());
}

TEST(DecoderRejects, InvalidUtf8BeforeItsMessageIsComplete) {
  expectSeenAtLastByte(frame(0x01, "good") + frame(0x00, "\xed\xa0"), {violation(1007)});
  expectSeenAtLastByte(frame(0x01, "good \xed") + frame(0x89, "") + frame(0x00, "\xa0"),
                       {ping(""), violation(1007)});
  expectSeen(frame(0x01, "\xc3") + frame(0x80, ""), {violation(1007)});
  expectSeen(frame(0x01, "\xc3") + frame(0x80, "("), {violation(1007)});
}

TEST(DecoderRejects, InvalidCloseCodes) {  // 7.9
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    expectSeenAtLastByte(wire::closeFrame(code), {violation(1002)});
    expectSeen(wire::closeFrame(code, "reason"), {violation(1002)});
  }
}

TEST(DecoderRejects, ACloseOfOneByte) {  // 7.3.2
  expectSeenAtLastByte(frame(0x88, "x"), {violation(1002)});
}

TEST(DecoderRejects, ACloseReasonThatIsNotUtf8) {  // 7.5.1
  expectSeenAtLastByte(wire::closeFrame(1000, "\xce\xba\xed\xa0\x80"), {violation(1007)});
  expectSeen(wire::closeFrame(1000, "cut \xe2\x82"), {violation(1007)});
}

TEST(DecoderRejects, AMessageOverTheLimitFromItsHeader) {
  expectSeen(frame(0x82, std::string(10, 'x')), {violation(1009)}, 9);
  EXPECT_EQ(Reader(10).read(frame(0x82, std::string(10, 'x'))).seen().size(), 1u);
  // Neither the payload nor the mask is needed.
  EXPECT_EQ(Reader(9).read(bytes({0x82, 0x8a})).seen(), std::vector{violation(1009)});
  EXPECT_EQ(Reader(1000).read(bytes({0x82, 0xff, 0x7f})).seen(), std::vector{violation(1009)});
}

TEST(DecoderRejects, FragmentsThatTogetherAreOverTheLimit) {
  const std::string stream = frame(0x02, "12345") + frame(0x00, "12345") + frame(0x80, "1");
  expectSeen(stream, {violation(1009)}, 10);
  EXPECT_EQ(Reader(11).read(stream).seen(), std::vector{wire::binary("12345123451")});
  // The header of the fragment that exceeds the limit is enough.
  EXPECT_EQ(Reader(10).read(frame(0x02, "1234567890") + bytes({0x00, 0x81})).seen(),
            std::vector{violation(1009)});
  // An overflow of the sum of lengths does not evade the limit.
  const std::string wrapping = frame(0x02, "12345") + bytes({0x80, 0xff, 0x7f, 0xff, 0xff, 0xff,
                                                             0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4});
  expectSeen(wrapping, {violation(1009)}, 1 << 20);
}

TEST(DecoderRejects, MoreThanALimitThatWasLowered) {
  std::string start = frame(0x02, "1234567890");
  std::string more = frame(0x00, "") + frame(0x80, "1");
  std::span<char> in(start);
  Decoder decoder;
  ASSERT_EQ(decoder.next(in, {100}).event, Event::Fragment);
  in = more;
  ASSERT_EQ(decoder.next(in, {5}).event, Event::Fragment);
  const Decoded decoded = decoder.next(in, {5});
  EXPECT_EQ(decoded.event, Event::Violation);
  EXPECT_EQ(decoded.code, CloseCode::TooBig);
}

TEST(DecoderRejects, LengthsThatAreNotMinimalOrHave64Bits) {
  expectSeenAtLastByte(bytes({0x82, 0xfe, 0x00, 0x7d}), {violation(1002)});
  expectSeenAtLastByte(bytes({0x82, 0xff, 0, 0, 0, 0, 0, 0}), {violation(1002)});
  expectSeenAtLastByte(bytes({0x82, 0xff, 0x80}), {violation(1002)});
}

TEST(DecoderRejects, WithAReasonThatFitsIntoACloseFrame) {
  const std::string streams[] = {
      bytes({0xf1}), bytes({0x83}),    bytes({0x08}),       bytes({0x81, 0x00}),
      bytes({0x80}), frame(0x88, "x"), frame(0x81, "\xff"), frame(0x82, std::string(99, 'x')),
  };
  for (const std::string& stream : streams) {
    const std::string reason = Reader(50).read(stream).reason();
    EXPECT_FALSE(reason.empty());
    EXPECT_LE(reason.size(), 123u);
  }
}

}  // namespace
}  // namespace stormo::websocket
