#include "event/loop_impl.h"
#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::IsEmpty;
using websocket::Opcode;

class DeadlinesTest : public NetTest {
 protected:
  DeadlinesTest() {
    use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
    endpoint.pingInterval = 20ms;
    endpoint.pongTimeout = 30ms;
  }
  WebSocketClient open() {
    Connected one = accept();
    last = one.id;
    WebSocketClient client(std::move(one.peer));
    client.sendHandshake();
    EXPECT_TRUE(turnUntil([&] { return client.isOpen(); }));
    events.clear();
    return client;
  }
  bool pass(std::chrono::milliseconds time) {
    return turnUntil([&, until = loop.now() + time] { return loop.now() >= until; });
  }
  ConnectionId last = 0;
};

TEST_F(DeadlinesTest, APeerThatDoesNotAnswerAPingIsClosed) {
  WebSocketClient client = open();
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.all(), ElementsAre(WebSocketClient::Frame{Opcode::Ping, ""}));
  EXPECT_THAT(events, ElementsAre("error in pong", "close 1006"));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(DeadlinesTest, APeerThatAnswersPingsStaysConnected) {
  WebSocketClient client = open();
  int pings = 0;
  ASSERT_TRUE(turnUntil([&] {
    for (const auto& frame : client.all()) {
      EXPECT_EQ(frame.opcode, Opcode::Ping);
      ++pings;
      client.sendPong();
    }
    return pings >= 4;
  }));
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(DeadlinesTest, AnyInputAnswersAPing) {
  WebSocketClient client = open();
  int pings = 0;
  ASSERT_TRUE(turnUntil([&] {
    for (const auto& frame : client.all()) {
      pings += frame.opcode == Opcode::Ping ? 1 : 0;
      client.sendText("not a pong");
    }
    return pings >= 4;
  }));
  EXPECT_NE(table.find(last), nullptr);
}

TEST_F(DeadlinesTest, AnActivePeerGetsNoPing) {
  endpoint.pingInterval = 10s;
  WebSocketClient client = open();
  for (int i = 0; i < 10; ++i) {
    client.sendText("x");
    turn();
  }
  EXPECT_THAT(client.all(), IsEmpty());
}

TEST_F(DeadlinesTest, WithoutPingIntervalNoPingIsSent) {
  endpoint.pingInterval = 0ms;
  WebSocketClient client = open();
  ASSERT_TRUE(pass(100ms));
  EXPECT_THAT(client.all(), IsEmpty());
  EXPECT_NE(table.find(last), nullptr);
}

TEST_F(DeadlinesTest, APausedConnectionIsNotClosedForAMissingPong) {
  WebSocketClient client = open();
  table.find(last)->pauseRecv();
  client.sendText("unread");
  ASSERT_TRUE(pass(200ms));
  ASSERT_NE(table.find(last), nullptr);
  table.find(last)->resumeRecv();
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  EXPECT_EQ(events.front(), "unread");
}

TEST_F(DeadlinesTest, EachOfManyConnectionsHasItsOwnDeadline) {
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(open());
    turn();
  }
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_EQ(events.size(), 100u);
}

TEST_F(DeadlinesTest, ALivePeerIsPingedWhileOthersTimeOut) {
  std::vector<WebSocketClient> others;
  for (int i = 0; i < 60; ++i) others.push_back(open());
  WebSocketClient alive = open();
  int pings = 0;
  ASSERT_TRUE(turnUntil([&] {
    for (const auto& frame : alive.all()) {
      pings += frame.opcode == Opcode::Ping ? 1 : 0;
      alive.sendPong();
    }
    return pings >= 5 && table.size() == 1;
  }));
  EXPECT_NE(table.find(last), nullptr);
}

TEST_F(DeadlinesTest, CloseTimeoutClosesAPeerThatDoesNotRead) {
  endpoint.pingInterval = 0ms;
  endpoint.closeTimeout = 30ms;
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected one = acceptQuietly(std::move(pair));
  one.peer.send(WebSocketClient::request());
  turn();
  (void)at(one).send(std::string(100'000, 'L'));
  at(one).close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

/// Input that has arrived when the time of its peer is over, but was not read: deferred tasks run
/// after the reads of a turn and before its time-outs.
class UnreadInputTest : public DeadlinesTest {
 protected:
  UnreadInputTest() {
    simulatedNow = std::chrono::steady_clock::now();
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
    endpoint.pingInterval = 20s;
    endpoint.pongTimeout = 30s;
  }
  void turnAfter(std::chrono::seconds time) {
    simulatedNow += time;
    turn();
  }
  static inline TimePoint simulatedNow;
};

TEST_F(UnreadInputTest, AnUnreadPongIsNoTimeout) {
  WebSocketClient client = open();
  turnAfter(21s);
  loop.defer([&] { client.sendPong(); });
  turnAfter(31s);
  settle();
  EXPECT_THAT(events, IsEmpty());
  ASSERT_NE(table.find(last), nullptr);
  turnAfter(60s);
  turnAfter(60s);
  settle();
  EXPECT_THAT(events, ElementsAre("error in pong", "close 1006")) << "it is silent again";
}

TEST_F(UnreadInputTest, AnUnreadHandshakeIsNoTimeout) {
  Connected one = acceptQuietly();
  WebSocketClient client(std::move(one.peer));
  loop.defer([&] { client.sendHandshake(); });
  turnAfter(11s);
  settle();
  EXPECT_TRUE(client.isOpen());
  EXPECT_EQ(counters().badPeers.get(), 0u);
}

TEST_F(UnreadInputTest, AnIncompleteHandshakeTimesOutThoughItWasUnread) {
  Connected one = acceptQuietly();
  loop.defer([&] { one.peer.send("GET / HTTP/1.1\r\n"); });
  turnAfter(11s);
  settle();
  EXPECT_EQ(table.size(), 1u);
  turnAfter(1s);
  settle();
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

TEST_F(UnreadInputTest, AConnectionMadeWhileTheLoopIsBlockedHasTimeForItsHandshake) {
  auto pair = test::unixPair();
  loop.defer([&] { ASSERT_TRUE(table.connect(std::move(pair.tested), endpoint).ok()); });
  turn();
  turnAfter(11s);
  EXPECT_EQ(counters().badPeers.get(), 0u);
  turnAfter(11s);
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

}  // namespace
}  // namespace stormo::net
