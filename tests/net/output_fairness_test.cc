// How the output of one turn is shared among connections.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/net_fixture.h"

namespace stormo::net {
namespace {

using testing::IsEmpty;

class OutputFairnessTest : public NetTest {
 protected:
  OutputFairnessTest() { endpoint.sendQueueBytesMax = 8 << 20; }

  /// Connections that get more in total than a turn sends.
  void acceptMany() {
    for (int i = 0; i < 60; ++i) many.push_back(acceptQuietly());
  }
  void sendToMany() {
    for (const Connected& one : many) (void)at(one).send(large);
  }
  bool allHave(std::size_t bytes) {
    bool all = true;
    for (Connected& one : many) all &= one.peer.drain().size() >= bytes;
    return all;
  }
  const std::string large = std::string(100'000, 'L');
  std::vector<Connected> many;
};

TEST_F(OutputFairnessTest, ATurnSendsABoundedNumberOfBytesAndTheRestInLaterTurns) {
  acceptMany();
  sendToMany();
  turn();
  EXPECT_LT(counters().bytesOut.get(), 4u << 20);
  while (!allHave(large.size() + 1)) {
    const auto before = counters().bytesOut.get();
    loop.turn(std::chrono::hours(1));  // does not wait while output waits for its share
    EXPECT_LT(counters().bytesOut.get() - before, 4u << 20);
  }
  for (Connected& one : many) EXPECT_EQ(one.peer.received(), large + '\n');
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(OutputFairnessTest, AShortMessageLeavesAtOnceWhileLargeOutputWaits) {
  acceptMany();
  Connected other = acceptQuietly();
  sendToMany();
  (void)at(other).send("other");
  turn();
  EXPECT_EQ(other.peer.take(), "other\n");
  EXPECT_GT(at(many.back()).sendQueueBytes(), 0u);
  (void)at(other).send("in a later turn");
  turn();
  EXPECT_EQ(other.peer.take(), "in a later turn\n");
  ASSERT_TRUE(turnUntil([&] { return allHave(large.size() + 1); }));
}

TEST_F(OutputFairnessTest, QueuesAreSentInSharesInRotation) {
  Connected flooder = acceptQuietly(test::tcpPair());
  acceptMany();
  (void)at(flooder).send(std::string(7 << 20, 'g'));
  sendToMany();
  ASSERT_TRUE(turnUntil([&] { return allHave(large.size() + 1); }));
  ASSERT_TRUE(turnUntil([&] { return flooder.peer.drain().size() == (7u << 20) + 1; }));
}

TEST_F(OutputFairnessTest, OutputLargerThanAShareArrivesInOrder) {
  Connected one = acceptQuietly(test::tcpPair());
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string line = std::to_string(i) + std::string(1000, '.');
    ASSERT_EQ(at(one).send(line), SendStatus::Queued);
    expected += line + '\n';
    if (i % 500 == 0) turn();
  }
  ASSERT_TRUE(turnUntil([&] { return one.peer.drain().size() >= expected.size(); }));
  EXPECT_EQ(one.peer.received(), expected);
}

TEST_F(OutputFairnessTest, CloseFlushesAQueueOfManyShares) {
  Connected one = acceptQuietly(test::tcpPair());
  (void)at(one).send(std::string(5 << 20, 'x'));
  at(one).close();
  ASSERT_TRUE(turnUntil([&] { return one.peer.ended(); }));
  EXPECT_EQ(one.peer.received().size(), (5u << 20) + 1);
}

}  // namespace
}  // namespace stormo::net
