#include "protocol/websocket/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>
#include <vector>

#include "protocol/websocket/decoder.h"
#include "protocol/websocket/wire.h"

namespace stormo::websocket {
namespace {

using wire::bytes;
using Verdict = Inflated::Verdict;

constexpr std::uint64_t kNoLimit = 64 << 20;

std::string inflated(std::string_view payload, Inflater& inflater) {
  const Inflated result = inflater.inflate(payload, kNoLimit);
  EXPECT_EQ(result.verdict, Verdict::Ok);
  return std::string(result.message);
}

std::string inflated(std::string_view payload) {
  Inflater inflater;
  return inflated(payload, inflater);
}

Verdict verdictOn(std::string_view payload, std::uint64_t messageBytesMax = kNoLimit) {
  Inflater inflater;
  return inflater.inflate(payload, messageBytesMax).verdict;
}

std::string deflated(std::string_view message, int windowBits = 15) {
  return std::string(Deflater(windowBits).deflate(message));
}

/// Text that compresses, but not to almost nothing.
std::string textOf(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 1000) + ' ';
  text.resize(size);
  return text;
}

std::string noiseOf(std::size_t size) {
  std::mt19937 random(7);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return noise;
}

// --- The examples of RFC 7692 7.2.3 ---

TEST(Deflate, CompressesHelloAsTheRfc) {
  EXPECT_EQ(deflated("Hello"), bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}));
}

TEST(Deflate, SharesTheWindowBetweenMessagesAsTheRfc) {
  const std::string first = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  const std::string second = bytes({0xf2, 0x00, 0x11, 0x00, 0x00});
  Deflater deflater(15);
  EXPECT_EQ(deflater.deflate("Hello"), first);
  EXPECT_EQ(deflater.deflate("Hello"), second);
  Inflater inflater;
  EXPECT_EQ(inflated(first, inflater), "Hello");
  EXPECT_EQ(inflated(second, inflater), "Hello");
  EXPECT_EQ(verdictOn(second), Verdict::Invalid) << "it refers to a message that was not received";
}

TEST(Inflate, ReadsAStoredBlockAsTheRfc) {
  EXPECT_EQ(inflated(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})),
            "Hello");
}

TEST(Inflate, ReadsAFinalBlockAsTheRfc) {
  EXPECT_EQ(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), "Hello");
}

TEST(Inflate, ReadsTwoBlocksAsTheRfc) {
  EXPECT_EQ(inflated(bytes(
                {0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})),
            "Hello");
}

TEST(Deflate, SendsAnEmptyMessageAsTheRfc) {
  Deflater deflater(15);
  Inflater inflater;
  for (const char* message : {"", "", "Hello", "", "Hello"}) {
    const std::string payload(deflater.deflate(message));
    if (*message == '\0') {
      EXPECT_EQ(payload, bytes({0x00}));
    }
    EXPECT_EQ(inflated(payload, inflater), message);
  }
}

// --- Whole messages ---

TEST(Inflate, TakesAnEmptyPayloadAsAnEmptyMessage) {
  Inflater inflater;
  EXPECT_EQ(inflated("", inflater), "");
  EXPECT_EQ(inflated(deflated("Hello"), inflater), "Hello");
}

TEST(Deflate, MessagesOfAllSizesAndWindowsAreInflatedAgain) {
  for (int windowBits = 8; windowBits <= 15; ++windowBits) {
    Deflater deflater(windowBits);
    Inflater inflater;
    for (const std::size_t size : {1u, 5u, 255u, 256u, 4095u, 4096u, 70'000u, 600'000u}) {
      for (const std::string& message : {textOf(size), noiseOf(size), std::string(size, 'a')}) {
        ASSERT_EQ(inflated(deflater.deflate(message), inflater), message) << windowBits;
      }
    }
  }
}

/// Inflates byte by byte with a window of 2^windowBits bytes: a reference to what is older fails.
/// Gives what it has inflated until then.
std::string inflatedInWindow(std::string payload, int windowBits) {
  payload += bytes({0x00, 0x00, 0xff, 0xff});
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -windowBits), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(payload.data());
  stream.avail_in = static_cast<uInt>(payload.size());
  std::string message;
  for (;;) {
    char byte = 0;
    stream.next_out = reinterpret_cast<Bytef*>(&byte);
    stream.avail_out = 1;
    if (::inflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_out > 0) break;
    message += byte;
  }
  inflateEnd(&stream);
  return message;
}

TEST(Deflate, RefersToNothingOutsideTheWindow) {
  for (int windowBits = 8; windowBits <= 15; ++windowBits) {
    // Copies of bytes at many distances, up to twice the window.
    const std::size_t windowBytes = std::size_t{1} << windowBits;
    std::string message = noiseOf(2 * windowBytes);
    const std::string noise = message;
    for (std::size_t part = 1; part < 64; part += 6) {
      message += noise + message.substr(message.size() - windowBytes * part / 32, 40);
    }
    message += textOf(100'000);
    const std::string payload = deflated(message, windowBits);
    EXPECT_TRUE(inflatedInWindow(payload, windowBits) == message) << windowBits;
    // With 2^9 bytes zlib does not use the farther half.
    if (windowBits <= 9) continue;
    EXPECT_FALSE(inflatedInWindow(payload, windowBits - 1) == message) << windowBits;
  }
}

TEST(Deflate, MakesTextShorterAndNoiseHardlyLonger) {
  EXPECT_LT(deflated(textOf(1024)).size(), 600u);
  EXPECT_LE(deflated(noiseOf(100'000), 9).size(), compressedBytesMax(100'000));
}

TEST(Deflate, ResetStreamsReferToNoEarlierMessage) {
  Deflater deflater(15);
  const std::string first(deflater.deflate("Hello"));
  deflater.reset();
  EXPECT_EQ(deflater.deflate("Hello"), first);
  Inflater inflater;
  EXPECT_EQ(inflated(first, inflater), "Hello");
  inflater.reset();
  EXPECT_EQ(inflater.inflate(bytes({0xf2, 0x00, 0x11, 0x00, 0x00}), kNoLimit).verdict,
            Verdict::Invalid);
}

TEST(Inflate, KeepsTheWindowOverAFinalBlock) {
  // "Hello", final; then a block that refers to it.
  EXPECT_EQ(
      inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf2, 0x00, 0x11, 0x00, 0x00})),
      "HelloHello");
}

// --- Hostile input ---

TEST(Inflate, RejectsATruncatedMessage) {
  const std::string payload = deflated(textOf(300));
  for (std::size_t n = 1; n < payload.size(); ++n) {
    EXPECT_EQ(verdictOn(std::string_view(payload).substr(0, n)), Verdict::Invalid) << n;
  }
}

TEST(Inflate, RejectsAFinalBlockWithoutAnotherOne) {
  EXPECT_EQ(verdictOn(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), Verdict::Invalid);
}

TEST(Inflate, RejectsWhatIsNotDeflate) {
  EXPECT_EQ(verdictOn("Hello"), Verdict::Invalid);
  EXPECT_EQ(verdictOn(bytes({0x06})), Verdict::Invalid) << "a reserved type of block";
  EXPECT_EQ(verdictOn(bytes({0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48, 0x00})), Verdict::Invalid);
}

TEST(Inflate, RejectsADistanceBeforeTheBeginning) {
  EXPECT_EQ(verdictOn(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})), Verdict::Invalid);
}

TEST(Inflate, StopsAtTheLimitOfAMessage) {
  const std::string bomb = deflated(std::string(32 << 20, '\0'));
  ASSERT_LT(bomb.size(), 40'000u);
  EXPECT_EQ(verdictOn(bomb, 1 << 20), Verdict::TooBig);
  EXPECT_EQ(verdictOn(bomb, 0), Verdict::TooBig);
}

TEST(Inflate, AcceptsExactlyTheLimit) {
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100'000u}) {
    const std::string payload = deflated(std::string(size, 'x'));
    EXPECT_EQ(verdictOn(payload, size), Verdict::Ok) << size;
    if (size > 0) {
      EXPECT_EQ(verdictOn(payload, size - 1), Verdict::TooBig) << size;
    }
  }
}

TEST(Inflate, SurvivesManyFinalBlocks) {
  std::string payload;
  for (int i = 0; i < 200'000; ++i) payload += bytes({0x03, 0x00});
  EXPECT_EQ(inflated(payload + bytes({0x00})), "");
}

TEST(Inflate, IsUsableAgainAfterAReset) {
  Inflater inflater;
  for (const std::string& wrong : {std::string("Hello"), deflated(std::string(9000, 'x'))}) {
    EXPECT_NE(inflater.inflate(wrong, 1000).verdict, Verdict::Ok);
    inflater.reset();
    EXPECT_EQ(inflated(deflated("Hello"), inflater), "Hello");
    inflater.reset();
  }
}

TEST(Inflate, GivesAVerdictOnAnyBytes) {
  std::mt19937 random(11);
  Inflater inflater;
  const std::string valid = deflated(textOf(400));
  for (int i = 0; i < 20'000; ++i) {
    std::string payload = valid;
    for (unsigned n = random() % 4; n <= 4; ++n) {
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    inflater.reset();
    const Inflated result = inflater.inflate(payload, 1000);
    if (result.verdict == Verdict::Ok) {
      EXPECT_LE(result.message.size(), 1000u);
    }
  }
}

// --- Messages of the decoder ---

constexpr Limits kNegotiated{.messageBytesMax = 1000, .compression = Compression::Negotiated};

/// What the decoder and the inflater make of a stream, byte by byte and in one piece.
Decoded decode(std::string& stream, Inflater& inflater, Limits limits = kNegotiated) {
  static Decoder decoder;
  decoder = {};
  Decoded decoded;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    std::span<char> in(stream.data() + i, 1);
    decoded = decoder.next(in, limits);
    if (decoded.event != Event::NeedMore && decoded.event != Event::Fragment) break;
  }
  inflater.reset();
  return decoded.compressed ? inflate(decoded, inflater, limits) : decoded;
}

void expectDecoded(std::string stream, Event event, std::string_view payload, CloseCode code) {
  Inflater inflater;
  const Decoded decoded = decode(stream, inflater);
  EXPECT_EQ(decoded.event, event);
  EXPECT_EQ(decoded.payload, payload);
  EXPECT_EQ(decoded.code, code);
}

void expectViolation(std::string stream, CloseCode code) {
  expectDecoded(std::move(stream), Event::Violation, "", code);
}

TEST(CompressedMessage, IsReadInOneFrameOrInFragments) {
  const std::string hello = deflated("Hello");
  expectDecoded(wire::frame(0xc1, hello), Event::Message, "Hello", CloseCode::NoStatus);
  expectDecoded(wire::frame(0x41, hello.substr(0, 3)) + wire::frame(0x80, hello.substr(3)),
                Event::Message, "Hello", CloseCode::NoStatus);
  expectDecoded(wire::frame(0x81, "Hello"), Event::Message, "Hello", CloseCode::NoStatus);
}

TEST(CompressedMessage, StaysInPlaceUntilItIsInflated) {
  std::string stream = wire::frame(0xc2, deflated("Hello"));
  std::span<char> in(stream);
  Decoder decoder;
  const Decoded decoded = decoder.next(in, kNegotiated);
  EXPECT_TRUE(decoded.compressed);
  EXPECT_TRUE(decoded.binary);
  EXPECT_EQ(decoded.payload.data(), stream.data() + 6);
}

TEST(CompressedMessage, IsAViolationUnlessItWasNegotiated) {
  std::string stream = wire::frame(0xc1, deflated("Hello"));
  Inflater inflater;
  EXPECT_EQ(decode(stream, inflater, {.messageBytesMax = 1000}).code, CloseCode::ProtocolError);
}

TEST(CompressedMessage, HasItsBitOnTheFirstDataFrameOnly) {
  expectViolation(wire::frame(0x01, "He") + wire::frame(0xc0, "llo"), CloseCode::ProtocolError);
  for (const int first : {0xc8, 0xc9, 0xca, 0xa1, 0x91, 0xe1, 0xd1, 0xf1}) {
    expectViolation(wire::frame(first, ""), CloseCode::ProtocolError);
  }
}

TEST(CompressedMessage, IsLimitedInItsInflatedAndItsCompressedSize) {
  expectDecoded(wire::frame(0xc1, deflated(std::string(1000, 'x'))), Event::Message,
                std::string(1000, 'x'), CloseCode::NoStatus);
  const std::string noise = noiseOf(1000);
  expectDecoded(wire::frame(0xc2, deflated(noise)), Event::Message, noise, CloseCode::NoStatus);
  expectViolation(wire::frame(0xc1, deflated(std::string(1001, 'x'))), CloseCode::TooBig);
  expectViolation(wire::frame(0xc2, std::string(compressedBytesMax(1000) + 1, '\0')),
                  CloseCode::TooBig);
  expectViolation(wire::frame(0x81, std::string(1001, 'x')), CloseCode::TooBig);
}

TEST(CompressedMessage, OfInvalidDataOrTextIsAViolation) {
  expectViolation(wire::frame(0xc1, "Hello"), CloseCode::InvalidPayload);
  expectViolation(wire::frame(0xc1, deflated("\xff")), CloseCode::InvalidPayload);
  expectDecoded(wire::frame(0xc2, deflated("\xff")), Event::Message, "\xff", CloseCode::NoStatus);
}

}  // namespace
}  // namespace stormo::websocket
