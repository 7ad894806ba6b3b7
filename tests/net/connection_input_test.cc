#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionInputTest : public NetTest {
 protected:
  std::string joined() {
    std::string text;
    for (const std::string& each : events) text += each;
    return text;
  }
};

TEST_F(ConnectionInputTest, SeveralMessagesInOneReadAreDeliveredInOrder) {
  Connected one = acceptQuietly();
  one.peer.send("a\nb\nc\n");
  turn();
  EXPECT_THAT(events, ElementsAre("a", "b", "c"));
  EXPECT_EQ(counters().messagesIn.get(), 3u);
  EXPECT_EQ(counters().bytesIn.get(), 6u);
  EXPECT_EQ(at(one).bytesRead(), 6u);
}

TEST_F(ConnectionInputTest, AMessageMayArriveByteByByte) {
  Connected one = acceptQuietly();
  for (const char byte : std::string("hello\nworld\n")) {
    one.peer.send({&byte, 1});
    turn();
  }
  EXPECT_THAT(events, ElementsAre("hello", "world"));
}

TEST_F(ConnectionInputTest, AMessageLargerThanTheReceiveBufferIsDelivered) {
  Connected one = acceptQuietly(test::tcpPair());
  const std::string large(3 << 20, 'L');
  const std::string wire = large + "\nnext\n";
  std::size_t sent = 0;
  ASSERT_TRUE(turnUntil([&] {
    sent += one.peer.send(std::string_view(wire).substr(sent));
    return events.size() == 2;
  }));
  EXPECT_EQ(events[0], large);
  EXPECT_EQ(events[1], "next");
}

TEST_F(ConnectionInputTest, MessagesOfAllSizesSurviveAnySegmentation) {
  Connected one = acceptQuietly();
  std::vector<std::string> expected;
  std::string wire;
  for (std::size_t size = 0; size < 9000; size = size * 3 / 2 + 1) {
    expected.push_back(std::string(size, static_cast<char>('a' + size % 26)));
    wire += expected.back() + '\n';
  }
  for (const std::size_t cut : {1000ul, 4095ul, 4096ul, 4097ul, 5000ul, 7ul}) {
    events.clear();
    for (std::size_t begin = 0; begin < wire.size(); begin += cut) {
      one.peer.send(std::string_view(wire).substr(begin, cut));
      turn();
    }
    ASSERT_EQ(events, expected) << "cut at " << cut;
  }
}

TEST_F(ConnectionInputTest, AFloodDoesNotKeepOtherPeersFromBeingRead) {
  Connected flood = acceptQuietly(test::tcpPair());
  Connected other = acceptQuietly();
  const std::string flooding(1 << 20, '\n');
  const std::size_t sent = flood.peer.send(flooding);
  ASSERT_GT(sent, 300u << 10) << "the kernel's buffers are too small for this test";
  other.peer.send("other\n");
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  turn();
  EXPECT_THAT(events, testing::Contains("other"));
  EXPECT_LT(events.size(), sent);
  ASSERT_TRUE(turnUntil([&] { return events.size() >= sent; }));
}

TEST_F(ConnectionInputTest, APausedConnectionDeliversNothingThatWasReadAlready) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    connection.pauseRecv();
  };
  one.peer.send("a\nb\nc");
  settle();
  EXPECT_THAT(events, ElementsAre("a"));
  one.peer.send("c\nd\n");
  settle();
  EXPECT_THAT(events, ElementsAre("a"));
  at(one).resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("a", "b"));
  at(one).resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("a", "b", "cc"));
  at(one).resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("a", "b", "cc", "d"));
}

TEST_F(ConnectionInputTest, AResumedConnectionReadsAllThatArrivedWhilePaused) {
  Connected one = acceptQuietly();
  at(one).pauseRecv();
  at(one).pauseRecv();
  for (int i = 0; i < 5; ++i) {
    one.peer.send(std::to_string(i) + '\n');
    turn();
  }
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(at(one).bytesRead(), 0u);
  at(one).resumeRecv();
  at(one).resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("0", "1", "2", "3", "4"));
  one.peer.send("live\n");
  turn();
  EXPECT_EQ(events.back(), "live");
}

TEST_F(ConnectionInputTest, PauseAndResumeWithinAHandlerLoseNothing) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    connection.pauseRecv();
    connection.resumeRecv();
  };
  one.peer.send("a\nb\nc\n");
  settle();
  EXPECT_THAT(events, ElementsAre("a", "b", "c"));
}

TEST_F(ConnectionInputTest, APausedPeerIsHeldBackByTcpAndNothingIsLost) {
  Connected one = acceptQuietly(test::tcpPair());
  std::size_t sent = 0;
  at(one).pauseRecv();
  while (const std::size_t taken = one.peer.send(std::string(64 << 10, 'x'))) {
    sent += taken;
    turn();
  }
  EXPECT_EQ(at(one).bytesRead(), 0u);
  use(std::make_unique<PackageCodec>(Protocol::tcp()));
  static_cast<ConnectionImpl&>(at(one)).endpoint = &endpoint;
  at(one).resumeRecv();
  ASSERT_TRUE(turnUntil([&] { return at(one).bytesRead() == sent; }));
  EXPECT_EQ(joined().size(), sent);
}

TEST_F(ConnectionInputTest, AnEndOfFileWhilePausedIsReportedAfterTheMessages) {
  Connected one = acceptQuietly();
  at(one).pauseRecv();
  one.peer.send("a\nb\n");
  one.peer.close();
  settle();
  EXPECT_THAT(events, IsEmpty());
  at(one).resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("a", "b", "close 1006"));
}

TEST_F(ConnectionInputTest, APausedConnectionThatIsClosedStillReadsTheEndOfFile) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message) { connection.pauseRecv(); };
  one.peer.send("a\nb\n");
  settle();
  at(one).close();
  settle();
  one.peer.send("thrown away\n");
  one.peer.close();
  settle();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionInputTest, DataAndEndOfFileThatArriveTogetherAreBothRead) {
  for (auto makePair : {test::unixPair, test::tcpPair}) {
    Connected one = acceptQuietly(makePair());
    one.peer.send("a\nb\n");
    one.peer.close();
    ASSERT_TRUE(turnUntil([&] { return events.size() == 3; }));
    EXPECT_THAT(takeEvents(), ElementsAre("a", "b", "close 1006"));
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  }
}

TEST_F(ConnectionInputTest, AResetAfterDataIsOneError) {
  Connected one = acceptQuietly(test::tcpPair());
  one.peer.send("a\n");
  turn();
  one.peer.reset();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("a", "error in recv", "close 1006"));
}

TEST_F(ConnectionInputTest, AfterCloseInAHandlerNoFurtherMessageOfTheReadIsDelivered) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    connection.close();
  };
  one.peer.send("a\nb\nc\n");
  settle();
  EXPECT_THAT(events, ElementsAre("a", "close 1000"));
}

TEST_F(ConnectionInputTest, AfterDestroyInAHandlerNoFurtherMessageOfTheReadIsDelivered) {
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    connection.destroy();
  };
  one.peer.send("a\nb\nc");
  settle();
  EXPECT_THAT(events, ElementsAre("a", "close 1006"));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ConnectionInputTest, AHandlerMayCloseAnotherConnectionWithInputInTheSameTurn) {
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    const ConnectionId other = connection.id() == one.id ? two.id : one.id;
    if (ConnectionImpl* target = table.find(other)) target->destroy();
  };
  one.peer.send("first wins\n");
  two.peer.send("first wins\n");
  settle();
  EXPECT_THAT(events, ElementsAre("first wins", "close 1006"));
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(ConnectionInputTest, PausingBetweenWebSocketMessagesOfOneReadLosesNothing) {
  use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
  Connected one = acceptQuietly();
  endpoint.handlers.onMessage = [&](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    connection.pauseRecv();
  };
  using Client = test::WebSocketClient;
  const std::string large(10'000, 'L');
  one.peer.send(Client::request() + Client::text("a") + Client::text("b") +
                Client::frame(0x01, "c1") + Client::frame(0x89, "ping") +
                Client::frame(0x80, "c2") + Client::text(large).substr(0, 5000));
  settle();
  EXPECT_THAT(events, ElementsAre("a"));
  one.peer.send(Client::text(large).substr(5000));
  for (int i = 0; i < 3; ++i) {
    at(one).resumeRecv();
    settle();
  }
  EXPECT_THAT(events, ElementsAre("a", "b", "c1c2", large));
}

}  // namespace
}  // namespace stormo::net
