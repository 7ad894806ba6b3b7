#include "protocol/websocket/decoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "protocol/websocket/wire.h"

namespace stormo::websocket {
namespace {

using wire::binary;
using wire::bytes;
using wire::frame;
using wire::ping;
using wire::pong;
using wire::Reader;
using wire::Seen;
using wire::text;

/// Reads the stream in one piece, in two pieces cut at every byte, and byte by byte, also with a
/// new decoder wherever it is at rest. The events must be the same.
void expectSeen(const std::string& stream, const std::vector<Seen>& expected) {
  EXPECT_EQ(Reader().read(stream).seen(), expected);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Reader reader;
    reader.read(stream.substr(0, cut)).read(stream.substr(cut));
    ASSERT_EQ(reader.seen(), expected) << "cut at " << cut;
    ASSERT_EQ(reader.leftBytes(), 0u) << "cut at " << cut;
  }
  Reader single;
  Reader frugal;
  frugal.frugal();
  for (const char c : stream) {
    single.read({&c, 1});
    frugal.read({&c, 1});
  }
  EXPECT_EQ(single.seen(), expected);
  EXPECT_EQ(frugal.seen(), expected);
}

TEST(Decoder, ReadsTheMaskedHelloOfTheRfc) {
  expectSeen(bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
             {text("Hello")});
}

TEST(Decoder, ReadsTheMaskedPongOfTheRfc) {
  expectSeen(bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
             {pong("Hello")});
}

TEST(Decoder, DoesNotCopyACompleteMessage) {
  std::string stream = frame(0x82, "payload") + frame(0x81, "second");
  std::span<char> in(stream);
  Decoder decoder;
  const Decoded first = decoder.next(in, {100});
  EXPECT_EQ(first.payload, "payload");
  EXPECT_EQ(first.payload.data(), stream.data() + 6);
  EXPECT_TRUE(first.binary);
  EXPECT_EQ(in.data(), stream.data() + 13);
  EXPECT_TRUE(decoder.atRest());
  const Decoded second = decoder.next(in, {100});
  EXPECT_EQ(second.payload, "second");
  EXPECT_FALSE(second.binary);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(decoder.next(in, {100}).event, Event::NeedMore);
  EXPECT_TRUE(decoder.atRest());
}

TEST(Decoder, DoesNotCopyAPayloadIfOnlyItsHeaderWasCut) {
  std::string stream = frame(0x81, "payload");
  std::span<char> head = std::span<char>(stream).first(3);
  std::span<char> rest = std::span<char>(stream).subspan(3);
  Decoder decoder;
  ASSERT_EQ(decoder.next(head, {100}).event, Event::NeedMore);
  EXPECT_EQ(decoder.next(rest, {100}).payload.data(), stream.data() + 6);
}

TEST(Decoder, ReadsManyMessagesFromOneBuffer) {
  expectSeen(frame(0x81, "one") + frame(0x82, "two") + frame(0x81, "") + frame(0x82, ""),
             {text("one"), binary("two"), text(""), binary("")});
}

TEST(Decoder, ReadsPayloadsOfEveryLengthEncoding) {
  for (const std::size_t length : {125u, 126u, 127u, 300u}) {
    expectSeen(frame(0x81, std::string(length, 'x')), {text(std::string(length, 'x'))});
  }
  for (const std::size_t length : {65535u, 65536u, 70000u}) {
    const std::string payload(length, '\xfe');
    const std::string stream = frame(0x82, payload);
    EXPECT_EQ(Reader().read(stream).seen(), std::vector{binary(payload)});
    for (const std::size_t piece : {1u, 7u, 1000u, 65536u}) {
      Reader reader;
      for (std::size_t at = 0; at < stream.size(); at += piece) {
        reader.read(std::string_view(stream).substr(at, piece));
      }
      EXPECT_EQ(reader.seen(), std::vector{binary(payload)}) << piece;
    }
  }
}

TEST(Decoder, JoinsFragments) {
  expectSeen(frame(0x01, "Hel") + frame(0x80, "lo"), {text("Hello")});
  expectSeen(frame(0x02, "a") + frame(0x00, "b") + frame(0x00, "c") + frame(0x80, "d"),
             {binary("abcd")});
}

TEST(Decoder, JoinsEmptyFragments) {
  expectSeen(frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), {text("")});
  expectSeen(frame(0x01, "") + frame(0x00, "middle") + frame(0x80, ""), {text("middle")});
}

TEST(Decoder, ReadsAMessageAfterAFragmentedOne) {
  expectSeen(frame(0x01, "a") + frame(0x80, "b") + frame(0x82, "c") + frame(0x02, "d") +
                 frame(0x80, "e") + frame(0x81, "f"),
             {text("ab"), binary("c"), binary("de"), text("f")});
}

TEST(Decoder, ReturnsControlFramesBetweenFragments) {
  expectSeen(frame(0x01, "one ") + frame(0x89, "are you there") + frame(0x00, "two ") +
                 frame(0x8a, "") + frame(0x80, "three"),
             {ping("are you there"), pong(""), text("one two three")});
}

TEST(Decoder, ReturnsCloseBetweenFragments) {
  expectSeen(frame(0x01, "unfinished") + wire::closeFrame(1001, "away"),
             {wire::close(1001, "away")});
}

TEST(Decoder, ReadsPingsOfEveryPermittedLength) {
  for (const std::size_t length : {0u, 1u, 8u, 124u, 125u}) {
    const std::string payload(length, '\xff');  // need not be UTF-8
    expectSeen(frame(0x89, payload) + frame(0x8a, payload), {ping(payload), pong(payload)});
  }
}

TEST(Decoder, ReadsConsecutivePings) {
  std::string stream;
  std::vector<Seen> expected;
  for (int i = 0; i < 10; ++i) {
    stream += frame(0x89, std::string(1, static_cast<char>('0' + i)));
    expected.push_back(ping(std::string(1, static_cast<char>('0' + i))));
  }
  expectSeen(stream, expected);
}

TEST(Decoder, ReadsCloseWithAndWithoutACode) {
  expectSeen(frame(0x88, ""), {wire::close(1005)});
  expectSeen(wire::closeFrame(1000), {wire::close(1000)});
  expectSeen(wire::closeFrame(4999, "gr\xc3\xbc\xc3\x9f"),
             {wire::close(4999, "gr\xc3\xbc\xc3\x9f")});
  expectSeen(wire::closeFrame(1000, std::string(123, 'r')),
             {wire::close(1000, std::string(123, 'r'))});
}

TEST(Decoder, ReadsNothingAfterAClose) {
  EXPECT_EQ(Reader().read(frame(0x88, "") + frame(0x81, "late")).seen(),
            std::vector{wire::close(1005)});
}

TEST(Decoder, AcceptsTextCutInsideACharacter) {
  const std::string text4 = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 \xf0\x9f\x8c\xa9";
  for (std::size_t cut = 0; cut <= text4.size(); ++cut) {
    const std::string stream = frame(0x01, text4.substr(0, cut)) + frame(0x80, text4.substr(cut));
    expectSeen(stream, {text(text4)});
  }
  std::string stream = frame(0x01, "");
  for (const char c : text4) stream += frame(0x00, {&c, 1}) + frame(0x89, "");
  std::vector<Seen> expected(text4.size(), ping(""));
  expected.push_back(text(text4));
  expectSeen(stream + frame(0x80, ""), expected);
}

TEST(Decoder, AcceptsAnyBytesInABinaryMessage) {
  expectSeen(frame(0x82, "\xff\xfe\x80"), {binary("\xff\xfe\x80")});
  expectSeen(frame(0x02, "\xed") + frame(0x80, "\xa0\x80"), {binary("\xed\xa0\x80")});
}

TEST(Decoder, IsAtRestBetweenMessagesOnly) {
  const std::string stream = frame(0x81, "Hello");
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    EXPECT_FALSE(Reader().read(stream.substr(0, cut)).atRest()) << cut;
  }
  EXPECT_TRUE(Reader().atRest());
  EXPECT_TRUE(Reader().read("").atRest());
  EXPECT_TRUE(Reader().read(stream).atRest());
  EXPECT_TRUE(Reader().read(frame(0x89, "")).atRest());
  EXPECT_FALSE(Reader().read(frame(0x01, "")).atRest());
  EXPECT_FALSE(Reader().read(frame(0x01, "a") + frame(0x89, "")).atRest());
  EXPECT_TRUE(Reader().read(frame(0x01, "a") + frame(0x80, "b")).atRest());
}

TEST(Decoder, TakesAllInputBeforeNeedMore) {
  std::string stream = frame(0x81, "Hello").substr(0, 9);
  std::span<char> in(stream);
  Decoder decoder;
  EXPECT_EQ(decoder.next(in, {100}).event, Event::NeedMore);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(decoder.next(in, {100}).event, Event::NeedMore);
}

TEST(Decoder, ContinuesAfterBeingMoved) {
  std::string stream = frame(0x01, "Hel") + frame(0x80, "lo");
  std::span<char> head = std::span<char>(stream).first(11);
  std::span<char> rest = std::span<char>(stream).subspan(11);
  Decoder decoder;
  ASSERT_EQ(decoder.next(head, {100}).event, Event::Fragment);
  ASSERT_EQ(decoder.next(head, {100}).event, Event::NeedMore);
  Decoder moved(std::move(decoder));
  EXPECT_EQ(moved.next(rest, {100}).payload, "Hello");
}

TEST(Decoder, ReportsEachEmptyFragmentSoThatAReaderCanStopBetweenThem) {
  std::string stream = frame(0x01, "");
  for (int i = 0; i < 1000; ++i) stream += frame(0x00, "");
  std::span<char> in(stream);
  Decoder decoder;
  for (std::size_t left = stream.size(); left > 0; left -= 6) {
    ASSERT_EQ(in.size(), left);
    ASSERT_EQ(decoder.next(in, {100}).event, Event::Fragment);
  }
  EXPECT_EQ(decoder.next(in, {100}).event, Event::NeedMore);
}

TEST(Decoder, ReportsTheHeldBytesOfAnIncompleteMessage) {
  std::string stream = frame(0x01, "Hel") + frame(0x80, "lo");
  std::span<char> in = std::span<char>(stream).first(stream.size() - 1);
  Decoder decoder;
  EXPECT_EQ(decoder.heldBytes(), 0u);
  ASSERT_EQ(decoder.next(in, {100}).event, Event::Fragment);
  EXPECT_EQ(decoder.heldBytes(), 3u);
  ASSERT_EQ(decoder.next(in, {100}).event, Event::NeedMore);
  EXPECT_EQ(decoder.heldBytes(), 4u);
  in = std::span<char>(stream).last(1);
  ASSERT_EQ(decoder.next(in, {100}).event, Event::Message);
  EXPECT_EQ(decoder.heldBytes(), 0u);
}

TEST(Decoder, DoesNotReserveMemoryForAStatedLength) {
  const std::string header = bytes({0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6});
  Reader reader(std::numeric_limits<std::uint64_t>::max());
  EXPECT_NO_THROW(reader.read(header));  // 2^62 bytes cannot be allocated
  EXPECT_TRUE(reader.seen().empty());
}

TEST(Decoder, ReturnsTheSameEventsForRandomStreamsCutAtRandom) {
  std::mt19937 random(6455);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 200; ++round) {
    std::string stream;
    std::vector<Seen> expected;
    for (std::size_t messages = 1 + below(8); messages > 0; --messages) {
      const bool isText = below(2) == 0;
      std::string message;
      const std::size_t fragments = 1 + below(4);
      for (std::size_t i = 0; i < fragments; ++i) {
        if (below(4) == 0) {
          stream += frame(0x89, std::to_string(round));
          expected.push_back(ping(std::to_string(round)));
        }
        const std::string part(below(below(10) == 0 ? 70000 : 200), isText ? 'a' : '\x80');
        const int fin = i + 1 == fragments ? 0x80 : 0;
        const int opcode = i > 0 ? 0 : isText ? 1 : 2;
        stream += frame(fin | opcode, part);
        message += part;
      }
      expected.push_back(isText ? text(message) : binary(message));
    }
    Reader reader;
    if (round % 2 == 0) reader.frugal();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t piece = 1 + below(below(3) == 0 ? 20000 : 100);
      reader.read(std::string_view(stream).substr(at, piece));
      at += piece;
    }
    ASSERT_EQ(reader.seen(), expected) << round;
  }
}

}  // namespace
}  // namespace stormo::websocket
