#include "bench/client_frames.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "bench/server_frame.h"
#include "protocol/websocket/wire.h"

namespace stormo::bench {
namespace {

using websocket::Opcode;
namespace wire = websocket::wire;

TEST(Expand, ReplacesAllPlaceholders) {
  EXPECT_EQ(expand("{group}:{bytes}:{message}", "g1", "hello"), "g1:5:hello");
  EXPECT_EQ(expand("{message}{message} to {group}", "g1", "a"), "aa to g1");
}

TEST(Expand, KeepsOtherBraces) {
  EXPECT_EQ(expand(R"({"a":{},"{groups}":"{Group}{bytes"})", "g1", "x"),
            R"({"a":{},"{groups}":"{Group}{bytes"})");
  EXPECT_EQ(expand("", "g1", "x"), "");
  EXPECT_EQ(expand("{{group}}", "g1", "x"), "{g1}");
}

TEST(Expand, DoesNotExpandReplacements) {
  EXPECT_EQ(expand("{group} {bytes} {message}", "g1", "{group}{bytes}"), "g1 14 {group}{bytes}");
  EXPECT_EQ(expand("{group} {bytes} {message}", "{message}{bytes}", "m"), "{message}{bytes} 1 m");
  EXPECT_EQ(expand("{{message}}", "g1", "group"), "{group}");
}

TEST(GroupName, AllNamesHaveTheSameLength) {
  EXPECT_EQ(groupName(0), "g000000");
  EXPECT_EQ(groupName(123'456), "g123456");
}

TEST(ClientFrame, IsDecodedByTheServersDecoder) {
  for (const std::size_t bytes : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    const std::string payload(bytes, 'y');
    wire::Reader reader;
    reader.read(clientFrame(Opcode::Text, payload));
    EXPECT_EQ(reader.seen(), std::vector{wire::text(payload)}) << bytes;
    EXPECT_TRUE(reader.atRest()) << bytes;
  }
  wire::Reader reader;
  reader.read(clientFrame(Opcode::Pong, "ping's") + clientFrame(Opcode::Pong, ""));
  EXPECT_EQ(reader.seen(), (std::vector{wire::pong("ping's"), wire::pong("")}));
}

TEST(PublishFrame, ChangesOnlyTheStamp) {
  const Stamp stamps[] = {{.publisher = 7, .sequence = 1, .sentNs = 99},
                          {.publisher = 7, .sequence = 2, .sentNs = 0xffff'ffff'ffff},
                          {}};
  // The length of the text before the message determines the message's position in the mask.
  for (const std::string before : {"", "a", "ab", "abc", "abcd", R"({"to":"{group}","text":")"}) {
    for (const std::size_t messageBytes : {kStampBytes, kStampBytes + 1, std::size_t{1000}}) {
      PublishFrame frame(before + "{message}\"} {bytes}", "g1", messageBytes);
      for (const Stamp& stamp : stamps) {
        std::string message(messageBytes, 'x');
        writeStamp(stamp, message.data());
        const std::string text =
            expand(before, "g1", "") + message + "\"} " + std::to_string(messageBytes);
        wire::Reader reader;
        reader.read(frame.stamped(stamp));
        ASSERT_EQ(reader.seen(), std::vector{wire::text(text)});
      }
    }
  }
}

TEST(ReadServerFrame, ReadsAllLengthFormsAndNeedsTheWholeFrame) {
  for (const std::size_t bytes : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    const std::string payload(bytes, 'z');
    const std::string one = serverFrame(0x82, payload);
    const std::string stream = one + serverFrame(0x81, "next");
    ServerFrame frame{.opcode = Opcode::Close, .payload = "untouched", .bytes = 77};
    for (std::size_t n = 0; n < one.size(); ++n) {
      ASSERT_FALSE(readServerFrame(std::string_view(stream).substr(0, n), frame)) << n;
    }
    EXPECT_EQ(frame.payload, "untouched");
    ASSERT_TRUE(readServerFrame(stream, frame)) << bytes;
    EXPECT_EQ(frame.opcode, Opcode::Binary);
    EXPECT_EQ(frame.payload, payload);
    EXPECT_EQ(frame.bytes, one.size());
  }
}

TEST(ReadServerFrame, ReadsControlFrames) {
  for (const Opcode opcode : {Opcode::Ping, Opcode::Pong, Opcode::Close}) {
    ServerFrame frame;
    ASSERT_TRUE(readServerFrame(serverFrame(0x80 | static_cast<int>(opcode), "!"), frame));
    EXPECT_EQ(frame.opcode, opcode);
  }
}

TEST(ReadServerFrame, AMaskedFrameThrows) {
  ServerFrame frame;
  EXPECT_THROW((void)readServerFrame(clientFrame(Opcode::Text, "hello"), frame),
               std::runtime_error);
  EXPECT_THROW((void)readServerFrame(wire::bytes({0x81, 0x80}), frame), std::runtime_error);
}

TEST(ReadServerFrame, FrameOver16MiBThrowsWhenItsLengthIsRead) {
  ServerFrame frame;
  EXPECT_FALSE(readServerFrame(wire::bytes({0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0}), frame));
  EXPECT_THROW((void)readServerFrame(wire::bytes({0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1}), frame),
               std::runtime_error);
  EXPECT_THROW((void)readServerFrame(wire::bytes({0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0}), frame),
               std::runtime_error);
}

TEST(ReadServerFrame, FragmentsAndReservedBitsAndOpcodesThrow) {
  ServerFrame frame;
  for (int first = 0; first < 256; ++first) {
    const std::string wire = serverFrame(first, "x");
    const bool isGood =
        first == 0x81 || first == 0x82 || first == 0x88 || first == 0x89 || first == 0x8a;
    if (isGood) {
      EXPECT_TRUE(readServerFrame(wire, frame)) << first;
    } else {
      EXPECT_THROW((void)readServerFrame(wire, frame), std::runtime_error) << first;
      EXPECT_THROW((void)readServerFrame(wire.substr(0, 1), frame), std::runtime_error) << first;
    }
  }
}

}  // namespace
}  // namespace stormo::bench
