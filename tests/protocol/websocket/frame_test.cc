#include "protocol/websocket/frame.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "protocol/websocket/wire.h"

namespace stormo::websocket {
namespace {

using wire::bytes;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

Decode verdictOf(std::string_view in, std::uint64_t payloadBytesMax = kNoLimit) {
  FrameHeader header;
  return decodeHeader(in, payloadBytesMax, header);
}

TEST(FrameHeader, OfTheMaskedHelloOfTheRfcIsRead) {
  FrameHeader header;
  const auto in = bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  ASSERT_EQ(decodeHeader(in, kNoLimit, header), Decode::Ok);
  EXPECT_TRUE(header.fin);
  EXPECT_EQ(header.opcode, Opcode::Text);
  EXPECT_EQ(std::string(header.mask, 4), bytes({0x37, 0xfa, 0x21, 0x3d}));
  EXPECT_EQ(header.payloadBytes, 5u);
  EXPECT_EQ(header.headerBytes, 6u);
}

TEST(FrameHeader, CutAtAnyByteNeedsMoreAndLeavesOutUntouched) {
  const std::string headers[] = {
      bytes({0x81, 0x85, 1, 2, 3, 4}),
      bytes({0x02, 0xfe, 0x01, 0x00, 1, 2, 3, 4}),
      bytes({0x80, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}),
  };
  for (const std::string& whole : headers) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      FrameHeader header;
      header.payloadBytes = 99;
      header.headerBytes = 77;
      EXPECT_EQ(decodeHeader(whole.substr(0, n), kNoLimit, header), Decode::NeedMore) << n;
      EXPECT_EQ(header.payloadBytes, 99u) << n;
      EXPECT_EQ(header.headerBytes, 77u) << n;
    }
    EXPECT_EQ(verdictOf(whole), Decode::Ok);
  }
}

TEST(FrameHeader, RoundTripsAtTheLimitsOfEachLengthEncoding) {
  const char mask[4] = {1, 2, 3, 4};
  const std::pair<std::uint64_t, std::size_t> lengths[] = {
      {0, 6}, {1, 6}, {125, 6}, {126, 8}, {0xffff, 8}, {0x10000, 14}, {kNoLimit >> 1, 14},
  };
  for (const auto& [payloadBytes, headerBytes] : lengths) {
    char out[kClientHeaderBytesMax];
    const std::size_t n = encodeMaskedHeader(Opcode::Binary, payloadBytes, mask, out);
    EXPECT_EQ(n, headerBytes) << payloadBytes;
    FrameHeader header;
    ASSERT_EQ(decodeHeader({out, n}, kNoLimit, header), Decode::Ok) << payloadBytes;
    EXPECT_EQ(header.payloadBytes, payloadBytes);
    EXPECT_EQ(header.headerBytes, headerBytes);
    EXPECT_EQ(header.opcode, Opcode::Binary);
    EXPECT_TRUE(header.fin);
  }
}

TEST(FrameHeader, EveryFirstByteHasItsOwnVerdict) {
  for (int first = 0; first < 256; ++first) {
    const int opcode = first & 0x0f;
    const bool fin = (first & 0x80) != 0;
    const bool data = opcode <= 2;
    const bool control = opcode >= 8 && opcode <= 10;
    const bool good = (first & 0x70) == 0 && (data || (control && fin));
    EXPECT_EQ(verdictOf(bytes({first})), good ? Decode::NeedMore : Decode::ProtocolError) << first;
    EXPECT_EQ(verdictOf(bytes({first, 0x80, 1, 2, 3, 4})),
              good ? Decode::Ok : Decode::ProtocolError)
        << first;
  }
}

TEST(FrameHeader, UnmaskedIsRejectedAtItsSecondByte) {
  EXPECT_EQ(verdictOf(bytes({0x81, 0x05})), Decode::ProtocolError);
  EXPECT_EQ(verdictOf(bytes({0x89, 0x00})), Decode::ProtocolError);
  EXPECT_EQ(verdictOf(bytes({0x82, 0x7f})), Decode::ProtocolError);
}

TEST(FrameHeader, OfAControlFrameHasAtMost125BytesOfPayload) {
  for (const int first : {0x88, 0x89, 0x8a}) {
    EXPECT_EQ(verdictOf(bytes({first, 0x80 | 125, 1, 2, 3, 4})), Decode::Ok);
    EXPECT_EQ(verdictOf(bytes({first, 0x80 | 126})), Decode::ProtocolError);
    EXPECT_EQ(verdictOf(bytes({first, 0x80 | 127})), Decode::ProtocolError);
  }
}

TEST(FrameHeader, MustEncodeItsLengthMinimally) {
  EXPECT_EQ(verdictOf(bytes({0x81, 0xfe, 0, 125})), Decode::ProtocolError);
  EXPECT_EQ(verdictOf(bytes({0x81, 0xfe, 0, 126, 1, 2, 3, 4})), Decode::Ok);
  EXPECT_EQ(verdictOf(bytes({0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff})), Decode::ProtocolError);
  EXPECT_EQ(verdictOf(bytes({0x81, 0xff, 0, 0, 0, 0, 0, 0})), Decode::ProtocolError)
      << "already clear";
  EXPECT_EQ(verdictOf(bytes({0x81, 0xff, 0, 0, 0, 0, 0})), Decode::NeedMore);
}

TEST(FrameHeader, MustNotHaveALengthOf64Bits) {
  EXPECT_EQ(verdictOf(bytes({0x82, 0xff, 0x80})), Decode::ProtocolError);
  EXPECT_EQ(
      verdictOf(bytes({0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})),
      Decode::ProtocolError);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xff, 0x7f})), Decode::NeedMore);
}

TEST(FrameHeader, IsTooBigAsSoonAsThatIsCertain) {
  EXPECT_EQ(verdictOf(bytes({0x82, 0x80 | 10}), 10), Decode::NeedMore);
  EXPECT_EQ(verdictOf(bytes({0x82, 0x80 | 11}), 10), Decode::TooBig);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xfe, 0x04}), 1023), Decode::TooBig);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xfe, 0x04}), 1024), Decode::NeedMore);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xfe, 0x04, 0x01}), 1024), Decode::TooBig);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xff, 0x01}), 1 << 30), Decode::TooBig);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0}), 1 << 30), Decode::NeedMore);
  EXPECT_EQ(verdictOf(bytes({0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 1}), 1 << 30), Decode::TooBig);
}

TEST(FrameHeader, OfAControlFrameIgnoresTheLimitOfMessages) {
  EXPECT_EQ(verdictOf(bytes({0x89, 0x80 | 125, 1, 2, 3, 4}), 0), Decode::Ok);
  EXPECT_EQ(verdictOf(bytes({0x81, 0x81, 1, 2, 3, 4}), 0), Decode::TooBig);
  EXPECT_EQ(verdictOf(bytes({0x81, 0x80, 1, 2, 3, 4}), 0), Decode::Ok);
}

/// Once there is a verdict, more bytes do not change it.
TEST(FrameHeader, VerdictDoesNotDependOnTheCut) {
  const int firsts[] = {0x81, 0x02, 0x80, 0x89, 0x09, 0xc1, 0x83};
  const int seconds[] = {0x00, 0x7e, 0x80, 0xfd, 0xfe, 0xff};
  const int heads[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (const int first : firsts) {
    for (const int second : seconds) {
      for (const int high : heads) {
        for (const int low : heads) {
          const auto in = bytes({first, second, high, low, 0, 0, low, high, low, high, 1, 2, 3, 4});
          for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{200}, kNoLimit}) {
            const Decode whole = verdictOf(in, limit);
            for (std::size_t n = 0; n < in.size(); ++n) {
              const Decode cut = verdictOf(in.substr(0, n), limit);
              EXPECT_TRUE(cut == Decode::NeedMore || cut == whole)
                  << first << ' ' << second << ' ' << n;
            }
            EXPECT_NE(whole, Decode::NeedMore);
          }
        }
      }
    }
  }
}

TEST(FrameHeader, ViolationsAreNamed) {
  EXPECT_STREQ(explainProtocolError(bytes({0xc1})), "reserved bits are set");
  EXPECT_STREQ(explainProtocolError(bytes({0x83})), "reserved opcode");
  EXPECT_STREQ(explainProtocolError(bytes({0x09})), "fragmented control frame");
  EXPECT_STREQ(explainProtocolError(bytes({0x81, 0x05})), "frame is not masked");
  EXPECT_STREQ(explainProtocolError(bytes({0x89, 0xfe})), "control frame of more than 125 bytes");
  EXPECT_STREQ(explainProtocolError(bytes({0x82, 0xff, 0x80})), "length of more than 63 bits");
  EXPECT_STREQ(explainProtocolError(bytes({0x82, 0xfe, 0, 1})), "length is not minimal");
}

TEST(FrameHeader, OfAServerMatchesTheRfcExamples) {
  char out[kServerHeaderBytesMax];
  const auto encoded = [&](Opcode opcode, std::uint64_t payloadBytes) {
    return std::string(out, encodeHeader(opcode, payloadBytes, out));
  };
  EXPECT_EQ(encoded(Opcode::Text, 5), bytes({0x81, 0x05}));
  EXPECT_EQ(encoded(Opcode::Ping, 5), bytes({0x89, 0x05}));
  EXPECT_EQ(encoded(Opcode::Binary, 256), bytes({0x82, 0x7e, 0x01, 0x00}));
  EXPECT_EQ(encoded(Opcode::Binary, 65536), bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(encoded(Opcode::Text, 125), bytes({0x81, 125}));
  EXPECT_EQ(encoded(Opcode::Text, 126), bytes({0x81, 126, 0, 126}));
  EXPECT_EQ(encoded(Opcode::Text, 65535), bytes({0x81, 126, 0xff, 0xff}));
  EXPECT_EQ(encoded(Opcode::Close, 0), bytes({0x88, 0x00}));
}

TEST(Mask, OfTheRfcExampleGivesHello) {
  auto data = bytes({0x7f, 0x9f, 0x4d, 0x51, 0x58});
  const auto mask = bytes({0x37, 0xfa, 0x21, 0x3d});
  applyMask(data.data(), data.size(), mask.data(), 0);
  EXPECT_EQ(data, "Hello");
}

TEST(Mask, IsTheByteByByteXorAtEveryLengthPhaseAndAlignment) {
  const auto mask = bytes({0x37, 0xfa, 0x21, 0x3d});
  for (std::size_t length = 0; length <= 100; ++length) {
    for (std::size_t phase = 0; phase < 8; ++phase) {
      for (std::size_t shift = 0; shift < 8; ++shift) {
        std::string data(shift + length + 8, '\0');
        for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + 3);
        std::string expected = data;
        for (std::size_t i = 0; i < length; ++i) {
          expected[shift + i] = static_cast<char>(expected[shift + i] ^ mask[(phase + i) % 4]);
        }
        applyMask(data.data() + shift, length, mask.data(), phase);
        ASSERT_EQ(data, expected) << length << ' ' << phase << ' ' << shift;
      }
    }
  }
}

}  // namespace
}  // namespace stormo::websocket
