// How the input of one turn is shared among connections, counted in messages and turns. Where time
// matters, the clock is simulated.
#include <stormo/timer.h>

#include <algorithm>
#include <map>

#include "net/net_fixture.h"
#include "protocol/websocket/deflate.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using websocket::Opcode;

// Upper bounds in short messages: of a client with a fresh event, and of a turn for the backlog.
// Larger than the real bounds, as the tests check that there is one, not its figure.
constexpr std::size_t kShareMessages = 64;
constexpr std::size_t kTurnMessages = 4096;

std::string repeated(std::string_view unit, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += unit;
  return all;
}

class FairnessTest : public NetTest {
 protected:
  FairnessTest() {
    endpoint.handlers.onMessage = [this](Connection& connection, Message message) {
      ++handled[connection.id()];
      order.push_back(connection.id());
      if (!message.data.empty()) events.push_back(std::string(message.data));
    };
  }

  /// Sends as much of `bytes` as the kernel takes now.
  struct Sender {
    Connected connected;
    std::string bytes;
    std::size_t sent = 0;

    bool sendMore() {
      sent += connected.peer.send(std::string_view(bytes).substr(sent));
      return sent < bytes.size();
    }
  };
  Sender flood(std::string bytes) {
    Sender sender{acceptQuietly(), std::move(bytes)};
    sender.sendMore();
    return sender;
  }
  std::size_t countOf(const Connected& of) { return handled[of.id]; }

  std::map<ConnectionId, std::size_t> handled;
  std::vector<ConnectionId> order;  // of all messages
};

TEST_F(FairnessTest, AFloodOfShortMessagesIsSpreadOverTurnsAndArrivesInOrder) {
  std::string lines;
  for (int i = 0; i < 12'000; ++i) lines += std::to_string(i) + '\n';
  Sender flooder = flood(lines);
  std::size_t most = 0;
  ASSERT_TRUE(turnUntil([&] {
    flooder.sendMore();
    const std::size_t before = events.size();
    turn();
    most = std::max(most, events.size() - before);
    return events.size() == 12'000;
  }));
  EXPECT_LE(most, kTurnMessages);
  for (int i = 0; i < 12'000; ++i)
    ASSERT_EQ(events[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_F(FairnessTest, AMessageIsReadInTheTurnInWhichItArrivesBeforeTheRestOfAFlood) {
  std::vector<Sender> flooders;
  for (int i = 0; i < 20; ++i) flooders.push_back(flood(repeated("\n", 30'000)));
  Connected other = acceptQuietly();
  for (int i = 0; i < 3; ++i) turn();  // the flood is in the backlog
  for (int i = 0; i < 20; ++i) {
    for (Sender& one : flooders) one.sendMore();
    order.clear();
    other.peer.send("now\n");
    turn();
    ASSERT_EQ(countOf(other), static_cast<std::size_t>(i) + 1);
    ASSERT_EQ(order.front(), other.id);
    ASSERT_LE(order.size(), kTurnMessages);
  }
}

TEST_F(FairnessTest, FloodsAreServedInRotation) {
  std::vector<Sender> flooders;
  for (int i = 0; i < 200; ++i) flooders.push_back(flood(repeated("\n", 2000)));
  turn();
  std::size_t least = 2000;
  std::size_t most = 0;
  const auto look = [&] {
    least = 2000;
    most = 0;
    for (const Sender& one : flooders) {
      least = std::min(least, countOf(one.connected));
      most = std::max(most, countOf(one.connected));
    }
  };
  // Until the first one is done, none has received more than two shares less than another.
  for (look(); most < 2000; look()) {
    ASSERT_LE(most - least, 2 * kShareMessages);
    turn();
  }
  ASSERT_TRUE(turnUntil([&] { return look(), least == 2000; }));
}

TEST_F(FairnessTest, ManyClientsWithFreshEventsShareOneTurn) {
  std::vector<Sender> flooders;
  for (int i = 0; i < 400; ++i) flooders.push_back(flood(repeated("\n", 2000)));
  turn();
  std::size_t all = 0;
  for (const Sender& one : flooders) {
    EXPECT_GE(countOf(one.connected), 1u);
    all += countOf(one.connected);
  }
  EXPECT_LE(all, kTurnMessages);
}

TimePoint handlersTime;

TEST_F(FairnessTest, MessagesThatTakeLongToHandleAreSpreadOverTurns) {
  handlersTime = loop.now();
  LoopImpl::of(loop).useClock([] { return handlersTime; });
  endpoint.handlers.onMessage = [this](Connection&, Message) {
    handlersTime += 5ms;
    events.emplace_back("handled");
  };
  // Each message ends with its second share, in the same rotation.
  std::vector<Sender> flooders;
  for (int i = 0; i < 20; ++i) flooders.push_back(flood(std::string(40'000, 'x') + '\n'));
  std::size_t most = 0;
  ASSERT_TRUE(turnUntil([&] {
    const std::size_t before = events.size();
    turn();
    most = std::max(most, events.size() - before);
    return events.size() == flooders.size();
  }));
  EXPECT_EQ(most, 1u);
}

TEST_F(FairnessTest, WithoutRoomTheFloodWaitsAndOthersAreRead) {
  bool room = false;
  endpoint.hasRoom = [&] { return room; };
  Sender flooder = flood(repeated("\n", 5000));
  Connected other = acceptQuietly();
  turn();
  const std::size_t share = countOf(flooder.connected);
  EXPECT_LE(share, kShareMessages);
  for (std::size_t i = 1; i <= 10; ++i) {
    other.peer.send("now\n");
    turn();
    EXPECT_EQ(countOf(other), i);
  }
  EXPECT_EQ(countOf(flooder.connected), share);
  room = true;
  ASSERT_TRUE(turnUntil([&] { return countOf(flooder.connected) == 5000; }));
}

TEST_F(FairnessTest, AFloodThatWaitsForRoomDoesNotKeepTheLoopBusy) {
  bool room = false;
  endpoint.hasRoom = [&] { return room; };
  Sender flooder = flood(repeated("\n", 5000));
  settle();
  const std::uint64_t before = counters().turns.get();
  Timer::once(20ms, [&] { room = true; });
  ASSERT_TRUE(turnUntil([&] { return countOf(flooder.connected) == 5000; }));
  // A turn each 5 ms, by turnUntil(), until there is room; then some for the rest.
  EXPECT_LE(counters().turns.get() - before, 100u);
}

TEST_F(FairnessTest, AFloodThatWaitsForRoomIsClosedWithoutWaitingForIt) {
  endpoint.hasRoom = [] { return false; };
  Sender flooder = flood(repeated("\n", 5000));
  settle();
  at(flooder.connected).close();
  flooder.connected.peer.close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
}

TEST_F(FairnessTest, AnEndOfFileAfterAFloodIsReportedAfterAllOfIt) {
  Sender flooder = flood(repeated("\n", 2000));
  ASSERT_EQ(flooder.sent, flooder.bytes.size());
  flooder.connected.peer.endOutput();
  ASSERT_TRUE(turnUntil([&] { return !events.empty(); }));
  EXPECT_THAT(events, ElementsAre("close 1006"));
  EXPECT_EQ(countOf(flooder.connected), 2000u);
}

TEST_F(FairnessTest, AFloodThatIsPausedContinuesWhereItStopped) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += std::to_string(i) + '\n';
  endpoint.handlers.onMessage = [this](Connection& connection, Message message) {
    events.push_back(std::string(message.data));
    if (events.size() % 7 == 0) connection.pauseRecv();
  };
  Sender flooder = flood(lines);
  ASSERT_TRUE(turnUntil([&] {
    at(flooder.connected).resumeRecv();
    return events.size() == 1000;
  }));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(events[static_cast<std::size_t>(i)], std::to_string(i));
}

class WebSocketFairnessTest : public FairnessTest {
 protected:
  WebSocketFairnessTest() {
    const auto onMessage = endpoint.handlers.onMessage;
    use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
    endpoint.handlers.onMessage = onMessage;
  }
  WebSocketClient open(test::SocketPair pair = test::unixPair()) {
    Connected one = accept(std::move(pair));
    last = one.id;
    WebSocketClient client(std::move(one.peer));
    client.sendHandshake();
    EXPECT_TRUE(turnUntil([&] { return client.isOpen(); }));
    events.clear();
    return client;
  }
  ConnectionId last = 0;
};

TEST_F(WebSocketFairnessTest, EmptyFragmentsAreSpreadOverTurns) {
  WebSocketClient flooder = open();
  WebSocketClient other = open();
  constexpr std::size_t kFragments = 20'000;
  const std::string wire = WebSocketClient::frame(0x01, "") +
                           repeated(WebSocketClient::frame(0x00, ""), kFragments) +
                           WebSocketClient::frame(0x80, "end");
  std::size_t sent = 0;
  std::size_t turns = 0;
  const auto isDone = [&] { return !events.empty() && events.back() == "end"; };
  for (; turns < 10 * kFragments && !isDone(); ++turns) {
    sent += flooder.raw().send(std::string_view(wire).substr(sent));
    other.sendText("now");
    events.clear();
    turn();
    ASSERT_FALSE(events.empty());
    ASSERT_EQ(events.front(), "now");
  }
  EXPECT_TRUE(isDone());
  EXPECT_GE(turns, kFragments / kTurnMessages);
}

TEST_F(WebSocketFairnessTest, MessagesThatInflateAreSpreadOverTurns) {
  const auto onMessage = endpoint.handlers.onMessage;
  use(std::make_unique<WebSocketCodec>(WebSocketOptions{.deflate = {.enabled = true}}));
  endpoint.handlers.onMessage = onMessage;
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  websocket::Deflater deflater(15);
  const std::string bomb =
      WebSocketClient::frame(0xc1, deflater.deflate(std::string(400 << 10, 'x')));
  std::vector<test::RawPeer> hostile;
  for (int i = 0; i < 20; ++i) {
    hostile.push_back(accept(test::unixPair()).peer);
    if (i % 2 == 0) {
      hostile.back().send(WebSocketClient::request("/", offer));
      turn();
    }
  }
  WebSocketClient other = open();
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    hostile[i].send(i % 2 == 0 ? bomb : WebSocketClient::request("/", offer) + bomb);
  }
  other.sendText("now");
  turn();
  EXPECT_THAT(events, Contains("now"));
  EXPECT_LE(events.size(), 4u);  // two at once, and one of the backlog
  EXPECT_TRUE(turnUntil([&] { return events.size() == hostile.size() + 1; }));
}

TEST_F(WebSocketFairnessTest, AClientThatWaitsForRoomIsNotClosedForMissingPongs) {
  endpoint.pingInterval = 10ms;
  endpoint.pongTimeout = 10ms;
  bool room = false;
  endpoint.hasRoom = [&] { return room; };
  WebSocketClient client = open();
  client.raw().send(repeated(WebSocketClient::text(""), 1000));
  const auto pings = [&] { return client.all().size(); };
  std::size_t seen = 0;
  ASSERT_TRUE(turnUntil([&] { return (seen += pings()) >= 5; }));
  ASSERT_NE(table.find(last), nullptr);
  room = true;
  ASSERT_TRUE(turnUntil([&] { return handled[last] == 1000; }));
}

TEST_F(WebSocketFairnessTest, OnlyTheLatestOfManyPingsInOneReadIsAnswered) {
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0x89, "one") + WebSocketClient::frame(0x89, "two") +
                    WebSocketClient::frame(0x89, "three"));
  turn();
  EXPECT_THAT(client.all(), ElementsAre(WebSocketClient::Frame{Opcode::Pong, "three"}));
}

TEST_F(WebSocketFairnessTest, APingIsAnsweredBeforeTheCloseFrameAfterIt) {
  WebSocketClient client = open();
  client.raw().send(WebSocketClient::frame(0x89, "one") + WebSocketClient::frame(0x88, "") +
                    WebSocketClient::frame(0x89, "two"));
  turn();
  EXPECT_THAT(client.all(), ElementsAre(WebSocketClient::Frame{Opcode::Pong, "one"},
                                        WebSocketClient::Frame{Opcode::Close, ""}));
}

TEST_F(WebSocketFairnessTest, APingFloodThatReadsNoPongHoldsOnePongAndGetsTheLatest) {
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  WebSocketClient client = open(std::move(pair));
  for (int i = 0; i < 3000; ++i) {
    client.sendPing(std::to_string(i) + std::string(100, ' '));
    turn();
    ASSERT_NE(table.find(last), nullptr);
    ASSERT_LE(table.find(last)->sendQueueBytes(), 3 * (125u + 2));
  }
  std::string latest;
  ASSERT_TRUE(turnUntil([&] {
    while (const auto frame = client.next()) latest = frame->payload;
    return latest.starts_with("2999 ");
  }));
}

TEST_F(WebSocketFairnessTest, APongReachesASlowPeerThatReads) {
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  WebSocketClient client = open(std::move(pair));
  std::vector<std::string> pongs;
  for (int i = 0; i < 200; ++i) {
    (void)table.find(last)->send(std::string(2000, 'm'));  // its queue is never empty
    turn();
    client.sendPing(std::to_string(i));
    turn();
    client.raw().receive(1900);
    turn();
    while (const auto frame = client.next()) {
      if (frame->opcode == Opcode::Pong) pongs.push_back(frame->payload);
    }
  }
  EXPECT_GT(pongs.size(), 10u);
}

}  // namespace
}  // namespace stormo::net
