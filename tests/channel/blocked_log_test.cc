// A Channel server whose log cannot be written: what it states to its links, and what these count.
#include "channel/client/client_link.h"
#include "channel/shared_log_fixture.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class BlockedLogTest : public SharedLogTest {
 protected:
  BlockedLogTest() { startNode(); }
  std::unique_ptr<ClientLink> connected() {
    auto made = std::make_unique<ClientLink>(url("stormo"));
    made->connect();
    EXPECT_TRUE(turnUntil([&] { return made->isConnected(); }));
    return made;
  }
  std::uint64_t blockedLinks() { return counters().stormoLinks.blocked.get(); }
  bool awaitBlockedLinks(std::uint64_t count) {
    return turnUntil([&] { return blockedLinks() == count; });
  }
};

TEST_F(BlockedLogTest, AllLinksOfStormosDialectReceiveAPongWhenTheLogIsBlockedAndWhenItIsFree) {
  Link php = link();
  php.send(command(CommandType::Subscribe, {"news"}));
  Link a = stormoLink(7), b = stormoLink();
  log->setBlocked(true);
  EXPECT_THAT(await(a, 1), ElementsAre("pong: blocked"));
  EXPECT_THAT(await(b, 1), ElementsAre("pong: blocked"));
  log->setBlocked(false);
  EXPECT_THAT(await(a, 1), ElementsAre("pong"));
  EXPECT_THAT(await(b, 1), ElementsAre("pong"));
  EXPECT_THAT(receivedOn(a), IsEmpty());
  settle();
  EXPECT_THAT(php.take(), IsEmpty());
}

TEST_F(BlockedLogTest, AnswerToAPingAndAWelcomeStateThatTheLogIsBlocked) {
  log->setBlocked(true);
  settle();
  Link link = this->link();
  link.send(hello());
  EXPECT_THAT(await(link, 2), ElementsAre("welcome", "pong: blocked"));
  link.send(encode({.kind = Kind::Ping}));
  EXPECT_THAT(await(link, 1), ElementsAre("pong: blocked"));
  log->setBlocked(false);
  EXPECT_THAT(await(link, 1), ElementsAre("pong"));
}

TEST_F(BlockedLogTest, PublisherThatIsNotReadIsKeptWithPongsThatStateIt) {
  static TimePoint simulatedNow;
  simulatedNow = LoopImpl::of(loop).readClock();
  LoopImpl::of(loop).useClock([] { return simulatedNow; });
  Link link = stormoLink(7);
  log->setBlocked(true);
  EXPECT_THAT(await(link, 1), ElementsAre("pong: blocked"));
  link.send(publishGroup("123", "a", 1));
  ASSERT_TRUE(turnUntil([&] { return !shared.batches.empty(); }));
  simulatedNow += 1s;
  EXPECT_THAT(await(link, 1), ElementsAre("pong: blocked"));
}

TEST_F(BlockedLogTest, ProcessCountsItsLinksWhoseChannelIsBlocked) {
  auto a = connected(), b = connected();
  EXPECT_EQ(blockedLinks(), 0u);
  log->setBlocked(true);
  EXPECT_TRUE(awaitBlockedLinks(2));
  a.reset();
  EXPECT_EQ(blockedLinks(), 1u);
  const auto c = connected();
  EXPECT_TRUE(awaitBlockedLinks(2));
  log->setBlocked(false);
  EXPECT_TRUE(awaitBlockedLinks(0));
  EXPECT_EQ(counters().stormoLinks.up.get(), 2u);
}

TEST_F(BlockedLogTest, LinkThatIsLostIsNotCountedAsBlocked) {
  const auto link = connected();
  log->setBlocked(true);
  ASSERT_TRUE(awaitBlockedLinks(1));
  kill();
  EXPECT_TRUE(awaitBlockedLinks(0));
  EXPECT_EQ(counters().stormoLinks.up.get(), 0u);
}

}  // namespace
}  // namespace stormo::channel
