#include <algorithm>

#include "net/net_fixture.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class ConnectionOutputTest : public NetTest {
 protected:
  /// A connection whose kernel buffer is small, so that output soon waits.
  Connected acceptNarrow() {
    auto pair = test::unixPair();
    test::shrinkSendBuffer(pair.tested.get());
    return acceptQuietly(std::move(pair));
  }
  /// Sends lines until some wait in the queue. Returns all that was sent.
  std::string fill(const Connected& to, std::uint64_t waiting = 1) {
    std::string sent;
    for (int i = 0; at(to).sendQueueBytes() < waiting; ++i) {
      const std::string line = std::to_string(i) + std::string(500, '.');
      if (at(to).send(line) != SendStatus::Queued) break;
      sent += line + '\n';
      turn();
    }
    return sent;
  }
};

TEST_F(ConnectionOutputTest, NothingIsWrittenBeforeTheFlush) {
  Connected one = acceptQuietly();
  EXPECT_EQ(at(one).send("hello"), SendStatus::Queued);
  EXPECT_EQ(one.peer.take(), "");
  EXPECT_EQ(at(one).sendQueueBytes(), 6u);
  turn();
  EXPECT_EQ(one.peer.take(), "hello\n");
  EXPECT_EQ(at(one).sendQueueBytes(), 0u);
  EXPECT_EQ(at(one).bytesWritten(), 6u);
}

TEST_F(ConnectionOutputTest, AllSendsOfATurnLeaveInOneCallInTheirOrder) {
  Connected one = acceptQuietly();
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    (void)at(one).send(std::to_string(i));
    expected += std::to_string(i) + '\n';
  }
  turn();
  EXPECT_EQ(one.peer.take(), expected);
  EXPECT_EQ(counters().sendCalls.get(), 1u);
  EXPECT_EQ(counters().messagesOut.get(), 1000u);
  EXPECT_EQ(counters().bytesOut.get(), expected.size());
}

TEST_F(ConnectionOutputTest, AlternatingSendsToSeveralConnectionsLeaveInOneCallEach) {
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    (void)at(one).send(std::to_string(i));
    (void)at(two).send(std::to_string(i));
    expected += std::to_string(i) + '\n';
  }
  turn();
  EXPECT_EQ(one.peer.take(), expected);
  EXPECT_EQ(two.peer.take(), expected);
  EXPECT_EQ(counters().sendCalls.get(), 2u);
}

TEST_F(ConnectionOutputTest, ATurnWithoutOutputMakesNoCall) {
  Connected one = acceptQuietly();
  settle();
  EXPECT_EQ(counters().sendCalls.get(), 0u);
}

TEST_F(ConnectionOutputTest, AnEmptyTcpMessageMakesNoCall) {
  use(std::make_unique<PackageCodec>(Protocol::tcp()));
  Connected one = acceptQuietly();
  EXPECT_EQ(at(one).send(""), SendStatus::Queued);
  settle();
  EXPECT_EQ(counters().sendCalls.get(), 0u);
}

TEST_F(ConnectionOutputTest, QueuedOutputArrivesCompleteAndInOrder) {
  Connected one = acceptNarrow();
  std::string sent = fill(one, 20'000);
  ASSERT_GE(at(one).sendQueueBytes(), 20'000u);
  ASSERT_TRUE(turnUntil([&] {
    one.peer.receive(700);  // a little in each turn, while more is sent
    if (sent.size() < 100'000) {
      const std::string line(300, '+');
      (void)at(one).send(line);
      sent += line + '\n';
    }
    return one.peer.received().size() == sent.size();
  }));
  EXPECT_EQ(one.peer.received(), sent);
  EXPECT_EQ(at(one).sendQueueBytes(), 0u);
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(ConnectionOutputTest, WhileTheKernelIsFullNoSendIsRetried) {
  Connected one = acceptNarrow();
  fill(one);
  turn();
  const auto before = counters().sendCalls.get();
  for (int i = 0; i < 10; ++i) {
    (void)at(one).send("more");
    turn();
  }
  EXPECT_EQ(counters().sendCalls.get(), before);
}

TEST_F(ConnectionOutputTest, OverTheLimitSendReturnsFullAndOnBufferFullIsCalledOnceUntilDrained) {
  endpoint.sendQueueBytesMax = 10'000;
  Connected one = acceptNarrow();
  const std::string sent = fill(one, 20'000);
  EXPECT_EQ(at(one).send(std::string(500, '.')), SendStatus::Full);
  EXPECT_EQ(at(one).send(std::string(500, '.')), SendStatus::Full);
  EXPECT_LE(at(one).sendQueueBytes(), 10'000u);
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("full"));
  EXPECT_GE(counters().sendFull.get(), 2u);

  ASSERT_TRUE(turnUntil([&] { return one.peer.drain().size() == sent.size(); }));
  settle();
  EXPECT_EQ(one.peer.take(), sent);
  EXPECT_THAT(takeEvents(), ElementsAre("drain"));
  EXPECT_EQ(at(one).send("again"), SendStatus::Queued);
  turn();
  EXPECT_EQ(one.peer.take(), "again\n");
}

TEST_F(ConnectionOutputTest, OutputOfThisTurnCountsForTheLimit) {
  endpoint.sendQueueBytesMax = 1000;
  Connected one = acceptQuietly();
  EXPECT_EQ(at(one).send(std::string(600, 'a')), SendStatus::Queued);
  EXPECT_EQ(at(one).send(std::string(600, 'b')), SendStatus::Full);
  turn();
  EXPECT_THAT(events, ElementsAre("full", "drain"));
  EXPECT_EQ(one.peer.take(), std::string(600, 'a') + '\n');
}

TEST_F(ConnectionOutputTest, AMessageAboveTheLimitIsQueuedWhenNothingWaits) {
  endpoint.sendQueueBytesMax = 1000;
  Connected one = acceptNarrow();
  const std::string large(50'000, 'L');
  EXPECT_EQ(at(one).send(large), SendStatus::Queued);
  turn();
  EXPECT_EQ(at(one).send("more"), SendStatus::Full);
  ASSERT_TRUE(turnUntil([&] { return one.peer.drain().size() == large.size() + 1; }));
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(ConnectionOutputTest, OnBufferDrainMaySend) {
  endpoint.sendQueueBytesMax = 5'000;
  Connected one = acceptNarrow();
  endpoint.handlers.onBufferDrain = [](Connection& connection) {
    (void)connection.send("drained");
  };
  fill(one, 9'000);
  ASSERT_TRUE(turnUntil([&] { return one.peer.drain().ends_with("drained\n"); }));
}

TEST_F(ConnectionOutputTest, OnBufferFullMayCloseAndTheQueueStillArrives) {
  endpoint.sendQueueBytesMax = 5'000;
  endpoint.handlers.onBufferFull = [](Connection& connection) { connection.close(); };
  Connected one = acceptNarrow();
  std::string sent;
  while (table.find(one.id) != nullptr) {
    const std::string line(500, '.');
    if (at(one).send(line) == SendStatus::Queued) sent += line + '\n';
    turn();
  }
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  EXPECT_EQ(one.peer.received(), sent);
  EXPECT_THAT(events, ElementsAre("close 1000"));
}

TEST_F(ConnectionOutputTest, OnBufferFullMayDestroy) {
  endpoint.sendQueueBytesMax = 5'000;
  endpoint.handlers.onBufferFull = [](Connection& connection) { connection.destroy(); };
  Connected one = acceptNarrow();
  while (table.find(one.id) != nullptr) {
    (void)at(one).send(std::string(500, '.'));
    turn();
  }
  settle();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(events, ElementsAre("close 1006"));
}

TEST_F(ConnectionOutputTest, HandlersMaySendToOthersDuringTheFlush) {
  endpoint.sendQueueBytesMax = 5'000;
  Connected other = acceptQuietly();
  Connected one = acceptNarrow();
  endpoint.handlers.onBufferFull = [&](Connection&) { (void)at(other).send("it is full"); };
  fill(one, 9'000);
  settle();
  EXPECT_EQ(other.peer.take(), "it is full\n");
}

TEST_F(ConnectionOutputTest, CloseFlushesTheQueue) {
  Connected one = acceptNarrow();
  std::string sent = fill(one, 20'000);
  (void)at(one).send("last words");
  at(one).close();
  EXPECT_EQ(table.find(one.id), nullptr);
  sent += "last words\n";
  ASSERT_TRUE(turnUntil([&] {
    one.peer.receive(5000);
    return one.peer.received().size() == sent.size();
  }));
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  EXPECT_EQ(one.peer.received(), sent);
  EXPECT_FALSE(one.peer.wasReset());
}

TEST_F(ConnectionOutputTest, CloseFlushesAMessageAboveTheLimit) {
  use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
  endpoint.sendQueueBytesMax = 1000;
  Connected one = acceptNarrow();
  ConnectionImpl& connection = static_cast<ConnectionImpl&>(at(one));
  table.open(connection);
  (void)at(one).send(std::string(60'000, 'L'));
  turn();
  ASSERT_GT(at(one).sendQueueBytes(), 1000u);
  at(one).close();  // its close frame waits after the message
  turn();
  ASSERT_TRUE(turnUntil([&] { return one.peer.drain().size() >= 60'008; }));
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(ConnectionOutputTest, DestroyDropsTheQueue) {
  Connected one = acceptNarrow();
  const std::string sent = fill(one, 20'000);
  at(one).destroy();
  turn();
  EXPECT_EQ(table.size(), 0u);
  ASSERT_TRUE(one.peer.ended());
  EXPECT_LT(one.peer.received().size(), sent.size());
}

TEST_F(ConnectionOutputTest, AfterCloseNothingIsQueued) {
  Connected one = acceptQuietly();
  Connection& connection = at(one);
  connection.close();
  EXPECT_EQ(connection.send("late"), SendStatus::Closed);
  settle();
  EXPECT_EQ(one.peer.take(), "");
}

TEST_F(ConnectionOutputTest, LinksAreFlushedBeforeOthers) {
  Endpoint links = endpoint;
  links.isLink = true;
  test::SocketPair pair = test::unixPair();
  const auto link = table.accept(std::move(pair.tested), links).value()->id.packed();
  Connected one = acceptQuietly();
  std::vector<std::string> order;
  // The link is flushed first, so it is full first.
  const auto note = [&](const char* who) {
    return [&order, who](Connection&) { order.push_back(who); };
  };
  links.handlers.onBufferFull = note("link");
  endpoint.handlers.onBufferFull = note("other");
  links.sendQueueBytesMax = endpoint.sendQueueBytesMax = 1;
  for (int i = 0; i < 2; ++i) {
    (void)at(one).send("text");
    (void)table.find(link)->send("text");
  }
  turn();
  EXPECT_THAT(order, ElementsAre("link", "other"));
  at(one).destroy();
  table.find(link)->destroy();
  turn();
}

}  // namespace
}  // namespace stormo::net
