#include <gtest/gtest.h>
#include <stormo/protocol.h>

#include <stdexcept>
#include <string>

namespace stormo {
namespace {

TEST(Protocol, TheBuiltInOnesAreFoundByName) {
  for (const char* name : {"websocket", "frame", "text", "tcp"}) {
    EXPECT_EQ(Protocol::named(name).name, name);
  }
  EXPECT_FALSE(Protocol::websocket().input);
}

TEST(Protocol, AnUnknownNameIsAnExceptionThatSaysWhichThereAre) {
  try {
    Protocol::named("smtp");
    FAIL();
  } catch (const std::invalid_argument& thrown) {
    EXPECT_STREQ(thrown.what(), "unknown protocol 'smtp' (websocket, frame, text or tcp)");
  }
}

std::string encoded(const Protocol& protocol, std::string_view message) {
  std::string out = "before ";
  protocol.encode(message, out);
  return out.substr(7);
}

TEST(Protocol, FrameIsATotalLengthAndTheMessage) {
  const Protocol frame = Protocol::frame();
  const std::string package = encoded(frame, "abc");
  EXPECT_EQ(package, std::string("\0\0\0\x07"
                                 "abc",
                                 7));
  EXPECT_EQ(frame.input(package.substr(0, 3)), Protocol::kNeedMore);
  EXPECT_EQ(frame.input(package.substr(0, 4)), 7);
  EXPECT_EQ(frame.input(package + "more"), 7);
  EXPECT_EQ(frame.input(std::string("\0\0\0\x03", 4)), Protocol::kInvalid);
  EXPECT_EQ(frame.decode(package), "abc");
}

TEST(Protocol, TextIsALine) {
  const Protocol text = Protocol::text();
  EXPECT_EQ(encoded(text, "abc"), "abc\n");
  EXPECT_EQ(text.input("ab"), Protocol::kNeedMore);
  EXPECT_EQ(text.input("abc\nd"), 4);
  EXPECT_EQ(text.decode("abc\r\n"), "abc");
}

TEST(Protocol, TcpIsBytesAsTheyCome) {
  const Protocol tcp = Protocol::tcp();
  EXPECT_EQ(encoded(tcp, "abc"), "abc");
  EXPECT_EQ(tcp.input("ab"), 2);
  EXPECT_EQ(tcp.decode("ab"), "ab");
}

}  // namespace
}  // namespace stormo
