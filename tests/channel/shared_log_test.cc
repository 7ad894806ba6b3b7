// A Channel server whose log is shared with other nodes, and may open later.
#include "channel/shared_log_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SharedLogTest, PublishIsAcknowledgedWhenItsOwnRecordIsApplied) {
  startNode();
  Link link = stormoLink(7);
  for (int i = 0; i < 3; ++i) shared.append(kOther, message("123", "theirs"));
  link.send(publishGroup("123", "a", 1) + publishGroup("123", "b", 2));
  sync(link);
  ASSERT_EQ(shared.batches.size(), 4u);
  log->apply(3);
  sync(link);
  EXPECT_EQ(link.acknowledged, 0u) << "three records of another node were applied";
  log->applyAll();
  sync(link);
  EXPECT_EQ(link.acknowledged, 2u);
}

TEST_F(SharedLogTest, PublishesOfSeveralTurnsAreAcknowledgedOneByOne) {
  startNode();
  Link link = stormoLink(7);
  for (const std::uint64_t sequence : {1, 2, 3}) {
    link.send(publishGroup("123", "x", sequence));
    sync(link);
    shared.append(kOther, message("123", "theirs"));
  }
  for (const std::uint64_t sequence : {1, 2, 3}) {
    log->apply(1);
    sync(link);
    EXPECT_EQ(link.acknowledged, sequence);
    log->apply(1);
  }
}

TEST_F(SharedLogTest, AllNodesMessagesReachASubscriberInTheLogsOrder) {
  startNode();
  Link link = stormoLink(7);
  link.send(subscribeGroup("123"));
  sync(link);
  shared.append(kOther, message("123", "1"));
  link.send(publishGroup("123", "2", 1));
  sync(link);
  shared.append(kOther, message("123", "3"));
  EXPECT_THAT(receivedOn(link), IsEmpty());
  log->applyAll();
  EXPECT_THAT(receivedOn(link), ElementsAre("group 123: 1", "group 123: 2", "group 123: 3"));
}

TEST_F(SharedLogTest, LinksAreAcceptedOnceTheLogHasOpened) {
  startNode(false);
  Link link = this->link();
  link.isStormo = true;
  link.send(hello(7));
  settle();
  EXPECT_THAT(link.take(), IsEmpty());
  EXPECT_EQ(process->linkCount(), 0u);
  log->becomeOpen();
  EXPECT_THAT(await(link, 1), ElementsAre("welcome"));
}

TEST_F(SharedLogTest, ServerEndsAtOnceBeforeTheLogHasOpened) {
  startNode(false);
  Link link = this->link();
  bool isDone = false;
  process->end([&] { isDone = true; });
  EXPECT_TRUE(turnUntil([&] { return isDone; }));
  log->becomeOpen();
  settle();
  EXPECT_EQ(process->linkCount(), 0u) << "it accepts no link any more";
}

}  // namespace
}  // namespace stormo::channel
