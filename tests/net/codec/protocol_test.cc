#include <gtest/gtest.h>
#include <stormo/protocol.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace stormo {
namespace {

TEST(Protocol, BuiltInProtocolsAreFoundByName) {
  for (const char* name : {"websocket", "frame", "text", "tcp"}) {
    EXPECT_EQ(Protocol::named(name).name(), name);
  }
  EXPECT_TRUE(Protocol::websocket().isWebSocket());
  EXPECT_FALSE(Protocol::tcp().isWebSocket());
  EXPECT_EQ(Protocol::named("http"), Protocol::http());
  EXPECT_TRUE(Protocol::http().isHttp());
  EXPECT_FALSE(Protocol::websocket().isHttp());
}

TEST(Protocol, AnUnknownNameThrowsAndListsTheNames) {
  try {
    Protocol::named("smtp");
    FAIL();
  } catch (const std::invalid_argument& thrown) {
    EXPECT_STREQ(thrown.what(), "unknown protocol 'smtp' (websocket, http, frame, text or tcp)");
  }
}

TEST(Protocol, TheSchemeOfClientsIsExplained) {
  try {
    Protocol::named("https");
    FAIL();
  } catch (const std::invalid_argument& thrown) {
    EXPECT_STREQ(thrown.what(),
                 "'https' is the scheme of clients: write http, and set Worker::tls for TLS");
  }
}

std::string encoded(const Protocol& protocol, std::string_view message) {
  std::string out = "before ";
  protocol.encode(message, out);
  return out.substr(7);
}

TEST(Protocol, FrameHasATotalLengthBeforeTheMessage) {
  const Protocol frame = Protocol::frame();
  const std::string package = encoded(frame, "abc");
  EXPECT_EQ(package, std::string("\0\0\0\x07"
                                 "abc",
                                 7));
  EXPECT_EQ(frame.input(package.substr(0, 3), 0), Protocol::kNeedMore);
  EXPECT_EQ(frame.input(package.substr(0, 4), 0), 7);
  EXPECT_EQ(frame.input(package + "more", 0), 7);
  EXPECT_EQ(frame.input(std::string("\0\0\0\x03", 4), 0), Protocol::kInvalid);
  EXPECT_EQ(frame.decode(package), "abc");
}

TEST(Protocol, TextIsALine) {
  const Protocol text = Protocol::text();
  EXPECT_EQ(encoded(text, "abc"), "abc\n");
  EXPECT_EQ(text.input("ab", 0), Protocol::kNeedMore);
  EXPECT_EQ(text.input("abc\nd", 0), 4);
  EXPECT_EQ(text.decode("abc\r\n"), "abc");
}

TEST(Protocol, TcpIsBytesAsTheyCome) {
  const Protocol tcp = Protocol::tcp();
  EXPECT_EQ(encoded(tcp, "abc"), "abc");
  EXPECT_EQ(tcp.input("ab", 0), 2);
  EXPECT_EQ(tcp.decode("ab"), "ab");
}

TEST(Protocol, TextExaminesOnlyNewBytesAndTakes64KiBByDefault) {
  const Protocol text = Protocol::text();
  EXPECT_EQ(text.input("a\nb", 2), Protocol::kNeedMore) << "it searched the first bytes again";
  EXPECT_EQ(text.maxPackageSize, 64u << 10);
  EXPECT_EQ(Protocol::frame().maxPackageSize, 10u << 20);
}

TEST(Protocol, ACustomInputMayTakeTheBufferAlone) {
  const Protocol whole = Protocol::custom(
      "whole", [](std::string_view buffer) { return static_cast<std::ptrdiff_t>(buffer.size()); },
      [](std::string_view package) { return package; },
      [](std::string_view message, std::string& out) { out.append(message); });
  EXPECT_EQ(whole.input("abc", 2), 3);
}

std::ptrdiff_t takeAll(std::string_view buffer, std::size_t) {
  return static_cast<std::ptrdiff_t>(buffer.size());
}
std::string_view asItIs(std::string_view package) { return package; }
void append(std::string_view message, std::string& out) { out.append(message); }

TEST(Protocol, ACustomProtocolNeedsAllItsFunctions) {
  const Protocol::Input noInput;
  const std::function<std::ptrdiff_t(std::string_view)> noInputOfOneArgument;
  EXPECT_THROW(Protocol::custom("x", noInput, asItIs, append), std::invalid_argument);
  EXPECT_THROW(Protocol::custom("x", noInputOfOneArgument, asItIs, append), std::invalid_argument);
  EXPECT_THROW(Protocol::custom("x", takeAll, {}, append), std::invalid_argument);
  EXPECT_THROW(Protocol::custom("x", takeAll, asItIs, {}), std::invalid_argument);
}

TEST(ProtocolDeathTest, TheFunctionsOfWebSocketMustNotBeCalled) {
  const Protocol websocket = Protocol::websocket();
  std::string out;
  EXPECT_DEATH((void)websocket.input("a", 0), "assertion failed");
  EXPECT_DEATH((void)websocket.decode("a"), "assertion failed");
  EXPECT_DEATH(websocket.encode("a", out), "assertion failed");
}

TEST(Protocol, CopiesAreEqual) {
  const Protocol one = Protocol::custom("x", takeAll, asItIs, append);
  const Protocol sameName = Protocol::custom("x", takeAll, asItIs, append);
  Protocol copy = one;
  copy.maxPackageSize = 1;
  EXPECT_EQ(copy, one);
  EXPECT_NE(sameName, one);
  EXPECT_EQ(Protocol::named("text"), Protocol::text());
  EXPECT_NE(Protocol::text(), Protocol::frame());
}

}  // namespace
}  // namespace stormo
