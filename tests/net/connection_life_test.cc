#include <stdexcept>

#include "net/net_fixture.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionLifeTest : public NetTest {
 protected:
  ~ConnectionLifeTest() override { EXPECT_EQ(counters().connections.get(), table.size()); }
};

TEST_F(ConnectionLifeTest, OnConnectIsCalledWithAConnectionThatCanBeFound) {
  ConnectionId seen = 0;
  endpoint.handlers.onConnect = [&](Connection& connection) {
    seen = connection.id();
    EXPECT_EQ(table.find(seen), &connection);
  };
  Connected one = accept();
  EXPECT_EQ(seen, one.id);
  EXPECT_NE(one.id, 0u);
  EXPECT_EQ(counters().connections.get(), 1u);
  EXPECT_EQ(counters().connectionsTotal.get(), 1u);
}

TEST_F(ConnectionLifeTest, HasTheAddressesOfBothEnds) {
  Connected one = acceptQuietly(test::tcpPair());
  EXPECT_TRUE(at(one).remoteAddress().starts_with("127.0.0.1:"));
  EXPECT_TRUE(at(one).localAddress().starts_with("127.0.0.1:"));
  EXPECT_EQ(at(one).remoteIp(), "127.0.0.1");
  EXPECT_EQ(at(one).remoteAddress(), "127.0.0.1:" + std::to_string(at(one).remotePort()));
  Connected two = acceptQuietly();
  EXPECT_EQ(at(two).remoteAddress(), "unix://");
  EXPECT_EQ(at(two).remotePort(), 0);
}

TEST_F(ConnectionLifeTest, AClosedConnectionIsNotFoundWhileItLingers) {
  Connected one = acceptQuietly();
  at(one).close();
  EXPECT_EQ(table.find(one.id), nullptr);
  turn();
  EXPECT_TRUE(one.peer.ended());
  EXPECT_THAT(events, ElementsAre("close 1000"));
  EXPECT_EQ(table.size(), 1u);  // until the peer's end of file
  one.peer.close();
  settle();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionLifeTest, AnIdStaysStaleWhenItsSlotIsReused) {
  Connected one = acceptQuietly();
  at(one).destroy();
  turn();
  Connected two = acceptQuietly();
  EXPECT_NE(one.id, two.id);
  EXPECT_EQ(table.find(one.id), nullptr);
  EXPECT_NE(table.find(two.id), nullptr);
}

TEST_F(ConnectionLifeTest, CloseIsIdempotentAndOnCloseNeverRunsInsideIt) {
  Connected one = acceptQuietly();
  Connection& connection = at(one);
  connection.close();
  connection.close(CloseCode::GoingAway);
  EXPECT_THAT(events, IsEmpty());
  turn();
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionLifeTest, DestroyClosesAtOnceAndOnCloseRunsAtTheEndOfTheTurn) {
  Connected one = acceptQuietly();
  Connection& connection = at(one);
  connection.destroy();
  connection.destroy();
  connection.close();
  EXPECT_THAT(events, IsEmpty());
  turn();
  EXPECT_THAT(events, ElementsAre("close 1006"));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(one.peer.ended());
}

TEST_F(ConnectionLifeTest, DestroyAfterCloseEndsTheLingering) {
  Connected one = acceptQuietly();
  Connection& connection = at(one);
  connection.close();
  turn();
  ASSERT_EQ(table.size(), 1u);
  table.forEach([](ConnectionImpl& each) { each.destroy(); });
  turn();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionLifeTest, OnCloseMayDestroyItsConnection) {
  endpoint.handlers.onClose = [&](Connection& connection) {
    events.push_back("close");
    connection.destroy();
  };
  Connected one = acceptQuietly();
  at(one).close();
  settle();
  EXPECT_THAT(events, ElementsAre("close"));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ConnectionLifeTest, OnCloseMayCloseAndDestroyOtherConnections) {
  std::vector<Connected> all;
  for (int i = 0; i < 5; ++i) all.push_back(acceptQuietly());
  endpoint.handlers.onClose = [&](Connection& connection) {
    events.push_back("close");
    for (const Connected& other : all) {
      if (ConnectionImpl* target = table.find(other.id))
        other.id % 2 == 0 ? target->destroy() : target->close();
    }
    EXPECT_EQ(connection.send("late"), SendStatus::Closed);
  };
  at(all[2]).close();
  settle();
  EXPECT_EQ(events.size(), 5u);
}

TEST_F(ConnectionLifeTest, OnCloseMaySendToOtherConnections) {
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  endpoint.handlers.onClose = [&](Connection&) { (void)at(two).send("one left"); };
  one.peer.close();
  settle();
  EXPECT_EQ(two.peer.take(), "one left\n");
}

TEST_F(ConnectionLifeTest, OnConnectMayClose) {
  endpoint.handlers.onConnect = [&](Connection& connection) {
    (void)connection.send("go away");
    connection.close();
  };
  Connected one = accept();
  settle();
  EXPECT_EQ(one.peer.take(), "go away\n");
  EXPECT_TRUE(one.peer.ended());
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionLifeTest, OnConnectMayDestroy) {
  endpoint.handlers.onConnect = [&](Connection& connection) { connection.destroy(); };
  Connected one = accept();
  settle();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, ElementsAre("close 1006"));
}

TEST_F(ConnectionLifeTest, AHalfClosedPeerGetsItsAnswer) {
  endpoint.handlers.onMessage = [](Connection& connection, Message message) {
    (void)connection.send("answer to " + std::string(message.data));
  };
  for (auto makePair : {test::unixPair, test::tcpPair}) {
    Connected one = acceptQuietly(makePair());
    one.peer.send("question\n");
    one.peer.endOutput();
    ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
    EXPECT_EQ(one.peer.received(), "answer to question\n");
    EXPECT_FALSE(one.peer.wasReset());
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
    EXPECT_THAT(takeEvents(), ElementsAre("close 1006"));
  }
}

TEST_F(ConnectionLifeTest, AHalfClosedPeerGetsWhatIsQueued) {
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected one = acceptQuietly(std::move(pair));
  const std::string large(50'000, 'L');
  (void)at(one).send(large);
  turn();
  one.peer.endOutput();
  settle();
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  EXPECT_EQ(one.peer.received(), large + '\n');
}

TEST_F(ConnectionLifeTest, APeerThatSendsAfterCloseIsNotReset) {
  Connected one = acceptQuietly(test::tcpPair());
  (void)at(one).send("bye");
  at(one).close();
  one.peer.send("sent before the close arrived\n");
  settle();
  one.peer.send("sent after the close arrived\n");
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  EXPECT_FALSE(one.peer.wasReset());
  EXPECT_EQ(one.peer.received(), "bye\n");
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionLifeTest, OnCloseRunsOnceForEveryWayOfClosing) {
  const auto end = [&](Connected& one, int way) {
    Connection& connection = at(one);
    switch (way) {
      case 0:
        return connection.close();
      case 1:
        return connection.destroy();
      case 2:
        return one.peer.close();
      case 3:
        return one.peer.reset();
      case 4:
        return one.peer.endOutput();
      case 5:
        connection.close();
        return one.peer.close();
      case 6:
        one.peer.close();
        return connection.close();
      case 7:
        (void)connection.send("x");
        one.peer.reset();
        return connection.close();
      case 8:
        connection.close();
        return connection.destroy();
      case 9:
        one.peer.send("x\n");
        return one.peer.reset();
      default:
        table.refuse(static_cast<ConnectionImpl&>(connection), CloseCode::ProtocolError, "bad");
    }
  };
  for (auto makePair : {test::unixPair, test::tcpPair}) {
    for (int way = 0; way <= 10; ++way) {
      int closes = 0;
      endpoint.handlers.onClose = [&](Connection&) { ++closes; };
      Connected one = acceptQuietly(makePair());
      turn();
      end(one, way);
      ASSERT_TRUE(turnUntil([&] { return closes > 0; })) << "way " << way;
      one.peer.close();
      ASSERT_TRUE(turnUntil([&] { return table.size() == 0; })) << "way " << way;
      EXPECT_EQ(closes, 1) << "way " << way;
      EXPECT_EQ(table.find(one.id), nullptr);
    }
  }
}

TEST_F(ConnectionLifeTest, StateLivesAsLongAsTheConnectionAndIsValidInOnClose) {
  static int alive = 0;
  struct State {
    State() { ++alive; }
    ~State() { --alive; }
    std::string name = "nobody";
  };
  endpoint.handlers.onClose = [&](Connection& connection) {
    events.push_back(connection.state<State>().name);
  };
  Connected one = acceptQuietly();
  EXPECT_EQ(at(one).state<State>().name, "nobody");
  at(one).state<State>().name = "heron";
  EXPECT_EQ(alive, 1);
  at(one).state<int>() = 7;
  EXPECT_EQ(at(one).state<State>().name, "heron") << "one object of each type";
  EXPECT_EQ(at(one).state<int>(), 7);
  one.peer.close();
  settle();
  EXPECT_THAT(events, ElementsAre("heron"));
  EXPECT_EQ(alive, 0);
}

TEST_F(ConnectionLifeTest, AnAbandonedConnectionCallsNoHandlerAndDoesNotUseItsEndpoint) {
  test::SocketPair pair = test::unixPair();
  {
    const Endpoint brief = endpoint;
    ConnectionImpl& connection = *table.accept(std::move(pair.tested), brief).value();
    events.clear();
    (void)connection.send("never");
    table.abandon(brief);
  }
  settle();
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(pair.peer.ended());
}

TEST_F(ConnectionLifeTest, AConnectionAbandonedWhileClosingFlushesButCallsNoHandler) {
  test::SocketPair pair = test::unixPair();
  {
    const Endpoint brief = endpoint;
    ConnectionImpl& connection = *table.accept(std::move(pair.tested), brief).value();
    events.clear();
    (void)connection.send("last words");
    connection.close();
    table.abandon(brief);
  }
  settle();
  EXPECT_EQ(pair.peer.take(), "last words\n");
  EXPECT_TRUE(pair.peer.ended());
  pair.peer.close();
  settle();
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(table.size(), 0u);
}

TEST(ConnectionTable, IsDestroyedWithItsLoopAndCallsNoHandler) {
  const PackageCodec codec(Protocol::text());
  test::SocketPair pair = test::unixPair();
  bool called = false;
  {
    EventLoop loop;
    Endpoint endpoint;  // destroyed before the loop
    endpoint.codec = &codec;
    endpoint.handlers.onClose = [&](Connection&) { called = true; };
    (void)ConnectionTable::of(loop).accept(std::move(pair.tested), endpoint).value()->send("never");
  }
  EXPECT_FALSE(called);
  EXPECT_TRUE(pair.peer.ended());
}

TEST_F(ConnectionLifeTest, RemoteAddressIsValidInOnErrorAndOnCloseAfterAReset) {
  Connected one = acceptQuietly(test::tcpPair());
  const std::string address = at(one).remoteAddress();
  const std::uint16_t port = at(one).remotePort();
  endpoint.handlers.onError = [&](Connection& connection, const Error&) {
    events.push_back("error " + connection.remoteAddress());
  };
  endpoint.handlers.onClose = [&](Connection& connection) {
    events.push_back("close " + connection.remoteIp() + ' ' +
                     std::to_string(connection.remotePort()));
  };
  one.peer.reset();
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(events, ElementsAre("error " + address, "close 127.0.0.1 " + std::to_string(port)));
}

}  // namespace
}  // namespace stormo::net
