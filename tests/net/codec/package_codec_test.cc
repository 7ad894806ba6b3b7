#include "net/codec/package_codec.h"

#include "net/net_fixture.h"
#include "protocol/package/frame.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The example of stormo/protocol.h.
Protocol semicolons() {
  return Protocol::custom(
      "semicolons",
      [](std::string_view buffer, std::size_t searched) -> std::ptrdiff_t {
        const std::size_t end = buffer.find(';', searched);
        return end == buffer.npos ? Protocol::kNeedMore : static_cast<std::ptrdiff_t>(end + 1);
      },
      [](std::string_view package) { return package.substr(0, package.size() - 1); },
      [](std::string_view message, std::string& out) { out.append(message).push_back(';'); });
}

/// `protocol` with another input function.
Protocol withInput(const Protocol& protocol, Protocol::Input input) {
  return Protocol::custom(
      protocol.name(), std::move(input),
      [protocol](std::string_view package) { return protocol.decode(package); },
      [protocol](std::string_view message, std::string& out) { protocol.encode(message, out); });
}

std::string frame(std::string_view payload) {
  std::string out;
  appendFrame(payload, out);
  return out;
}

class PackageCodecTest : public NetTest {
 protected:
  void useProtocol(Protocol protocol) { use(std::make_unique<PackageCodec>(std::move(protocol))); }
  void sendByByte(Connected& to, std::string_view bytes) {
    for (const char& byte : bytes) {
      to.peer.send({&byte, 1});
      turn();
    }
  }
};

TEST_F(PackageCodecTest, HasTheNameOfItsProtocol) {
  EXPECT_EQ(PackageCodec(semicolons()).name(), "semicolons");
}

TEST_F(PackageCodecTest, DecodesEveryProtocolFromSingleBytesAndFromOneRead) {
  struct Case {
    Protocol protocol;
    std::string wire;
  };
  const Case cases[] = {
      {Protocol::frame(), frame("one") + frame("") + frame("three")},
      {Protocol::text(), "one\n\r\nthree\r\n"},
      {semicolons(), "one;;three;"},
  };
  for (const Case& each : cases) {
    useProtocol(each.protocol);
    Connected one = acceptQuietly();
    sendByByte(one, each.wire);
    EXPECT_THAT(takeEvents(), ElementsAre("one", "", "three")) << each.protocol.name();
    one.peer.send(each.wire);
    turn();
    EXPECT_THAT(takeEvents(), ElementsAre("one", "", "three")) << each.protocol.name();
    at(one).destroy();
    turn();
  }
}

TEST_F(PackageCodecTest, EncodesMessagesAndDeliversThemAsBinary) {
  useProtocol(semicolons());
  bool isBinary = false;
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    isBinary = message.isBinary();
    (void)connection.send("re: " + std::string(message.data));
  };
  Connected one = acceptQuietly();
  one.peer.send("hello;");
  turn();
  EXPECT_EQ(one.peer.take(), "re: hello;");
  EXPECT_TRUE(isBinary);
}

TEST_F(PackageCodecTest, AnInvalidPackageClosesAndIsCounted) {
  useProtocol(Protocol::frame());
  Connected one = acceptQuietly();
  one.peer.send(frame("good") + std::string("\0\0\0\x01 rubbish", 12));
  settle();
  EXPECT_THAT(events, ElementsAre("good", "close 1002"));
  EXPECT_TRUE(one.peer.ended());
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

TEST_F(PackageCodecTest, ATooBigLengthIsRefusedBeforeItsBytesArrive) {
  endpoint.packageBytesMax = 100;
  useProtocol(Protocol::frame());
  Connected one = acceptQuietly();
  one.peer.send(std::string("\0\0\0\x65", 4));
  settle();
  EXPECT_THAT(events, ElementsAre("close 1009"));
}

TEST_F(PackageCodecTest, APackageOfMaximumSizeIsTakenAndOneByteMoreIsNot) {
  endpoint.packageBytesMax = 100;
  struct Case {
    Protocol protocol;
    std::string largest;
    std::string tooLarge;
  };
  const Case cases[] = {
      {Protocol::frame(), frame(std::string(96, 'x')), frame(std::string(97, 'x'))},
      {Protocol::text(), std::string(99, 'x') + '\n', std::string(100, 'x') + '\n'},
      {semicolons(), std::string(99, 'x') + ';', std::string(100, 'x') + ';'},
  };
  for (const Case& each : cases) {
    useProtocol(each.protocol);
    Connected one = acceptQuietly();
    one.peer.send(each.largest + each.largest);
    settle();
    EXPECT_EQ(takeEvents().size(), 2u) << each.protocol.name();
    one.peer.send(each.tooLarge);
    settle();
    EXPECT_THAT(takeEvents(), ElementsAre("close 1009")) << each.protocol.name();
  }
}

TEST_F(PackageCodecTest, ALineWithoutEndIsRefusedAsSoonAsItIsTooLong) {
  endpoint.packageBytesMax = 100;
  Connected one = acceptQuietly();
  sendByByte(one, std::string(99, 'x'));
  EXPECT_THAT(events, IsEmpty());
  one.peer.send("x");
  settle();
  EXPECT_THAT(events, ElementsAre("close 1009"));
}

TEST_F(PackageCodecTest, TcpHasNoPackageSizeLimit) {
  endpoint.packageBytesMax = 1000;
  useProtocol(Protocol::tcp());
  Connected one = acceptQuietly();
  const std::string bytes(50'000, 'b');
  std::size_t sent = 0;
  ASSERT_TRUE(turnUntil([&] {
    sent += one.peer.send(std::string_view(bytes).substr(sent));
    std::size_t came = 0;
    for (const std::string& piece : events) came += piece.size();
    return came >= bytes.size();
  }));
  EXPECT_NE(table.find(one.id), nullptr);
}

TEST_F(PackageCodecTest, APackageMayBeMuchLongerThanOneRead) {
  useProtocol(Protocol::frame());
  Connected one = acceptQuietly();
  const std::string payload(1 << 20, 'p');
  const std::string wire = frame(payload) + frame("next");
  std::size_t sent = 0;
  ASSERT_TRUE(turnUntil([&] {
    sent += one.peer.send(std::string_view(wire).substr(sent, 10'007));
    return events.size() == 2;
  }));
  EXPECT_THAT(events, ElementsAre(payload, "next"));
}

TEST_F(PackageCodecTest, HasNoPings) {
  endpoint.pingInterval = std::chrono::milliseconds(1);
  Connected one = acceptQuietly();
  ASSERT_TRUE(turnUntil(
      [&, begin = loop.now()] { return loop.now() > begin + std::chrono::milliseconds(60); }));
  EXPECT_EQ(one.peer.take(), "");
  EXPECT_NE(table.find(one.id), nullptr);
}

TEST_F(PackageCodecTest, APackageByteByByteCostsWorkProportionalToItsBytes) {
  std::size_t calls = 0;
  std::size_t bytesToSearch = 0;
  useProtocol(withInput(semicolons(), [&](std::string_view buffer, std::size_t searched) {
    ++calls;
    bytesToSearch += buffer.size() - searched;
    return semicolons().input(buffer, searched);
  }));
  Connected one = acceptQuietly();
  const std::string package = std::string(6000, 'x') + ';';
  sendByByte(one, package + package);
  EXPECT_EQ(events.size(), 2u);
  EXPECT_EQ(calls, 2 * package.size());
  EXPECT_EQ(bytesToSearch, 2 * package.size());
}

TEST_F(PackageCodecTest, InputIsNotCalledAgainOnceTheLengthIsKnown) {
  std::size_t calls = 0;
  useProtocol(withInput(Protocol::frame(), [&](std::string_view buffer, std::size_t searched) {
    ++calls;
    return Protocol::frame().input(buffer, searched);
  }));
  Connected one = acceptQuietly();
  sendByByte(one, frame(std::string(6000, 'x')) + frame("next"));
  EXPECT_EQ(events.size(), 2u);
  EXPECT_EQ(calls, 2u * kFrameHeaderBytes);
}

}  // namespace
}  // namespace stormo::net
