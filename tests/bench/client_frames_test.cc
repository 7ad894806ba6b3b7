#include "bench/client_frames.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

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

TEST(ReadServerFrame, ReadsWholeMessagesAndControlFrames) {
  for (const int first : {0x81, 0x82, 0x88, 0x89, 0x8a}) {
    const std::string whole = wire::serverFrame(first, "payload");
    websocket::ServerFrame frame;
    EXPECT_FALSE(readServerFrame(whole.substr(0, whole.size() - 1), frame)) << first;
    ASSERT_TRUE(readServerFrame(whole, frame)) << first;
    EXPECT_EQ(static_cast<int>(frame.opcode), first & 0x0f);
    EXPECT_EQ(frame.payload, "payload");
  }
}

TEST(ReadServerFrame, AnInvalidFrameThrows) {
  websocket::ServerFrame frame;
  for (const std::string& invalid : {clientFrame(Opcode::Text, "masked"), wire::bytes({0xc1}),
                                     wire::bytes({0x83}), wire::bytes({0x89, 126})}) {
    EXPECT_THROW((void)readServerFrame(invalid, frame), std::runtime_error);
  }
}

TEST(ReadServerFrame, AFragmentThrows) {
  websocket::ServerFrame frame;
  for (const int first : {0x00, 0x01, 0x02, 0x80}) {
    const std::string fragment = wire::serverFrame(first, "x");
    EXPECT_THROW((void)readServerFrame(fragment, frame), std::runtime_error) << first;
  }
}

TEST(ReadServerFrame, FrameOver16MiBThrowsWhenItsLengthIsRead) {
  websocket::ServerFrame frame;
  EXPECT_FALSE(readServerFrame(wire::bytes({0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0}), frame));
  EXPECT_THROW((void)readServerFrame(wire::bytes({0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1}), frame),
               std::runtime_error);
}

}  // namespace
}  // namespace stormo::bench
