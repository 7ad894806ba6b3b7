// Jobs that the nodes of a cluster share.
#include "channel/shared_log_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ConsumerId kTheirs = 99;

class SharedJobsTest : public SharedLogTest {
 protected:
  static std::string watch() { return encode({.kind = Kind::Watch, .channel = "queue"}); }
  static std::string reserve() { return encode({.kind = Kind::Reserve}); }

  /// Another node enqueues a job. Returns its number: all batches have one record.
  std::uint64_t enqueue(std::string_view value) {
    shared.append(kOther, {.kind = Kind::Enqueue, .channel = "queue", .payload = value});
    return shared.batches.size();
  }
  std::uint64_t handTo(ConsumerId consumer, std::uint64_t number, NodeId node = kOther) {
    shared.append(node, {.kind = Kind::Job, .job = number, .channel = "queue"}, consumer);
    return shared.batches.size();
  }
  Link consumer(std::uint64_t producerId, std::size_t reservations = 1) {
    Link made = stormoLink(producerId);
    made.send(watch());
    for (; reservations > 0; --reservations) made.send(reserve());
    sync(made);
    return made;
  }
  /// What is written for it comes back, and what that leads to.
  void applyAndSync(Link& link) {
    for (std::size_t before = 0; before != shared.batches.size();) {
      before = shared.batches.size();
      log->applyAll();
      sync(link);
    }
  }
};

TEST_F(SharedJobsTest, AJobThatAnotherNodeHandsDoesNotWaitHere) {
  startNode();
  handTo(kTheirs, enqueue("i:1;"));
  log->applyAll();
  const std::size_t before = shared.batches.size();
  Link link = consumer(7);
  EXPECT_EQ(shared.batches.size(), before) << "nothing is handed here";
  enqueue("i:2;");
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:2;"));
}

TEST_F(SharedJobsTest, AConsumerThatLosesTheRaceForAJobGetsTheNextOne) {
  startNode();
  Link first = consumer(7);
  Link second = consumer(8);
  handTo(kTheirs, enqueue("i:1;"));
  log->apply(1);
  sync(first);
  ASSERT_EQ(shared.batches.size(), 3u) << "it was to be handed to the first consumer";
  applyAndSync(first);
  EXPECT_THAT(textsOf(first.take()), IsEmpty());
  enqueue("i:2;");
  applyAndSync(first);
  EXPECT_THAT(textsOf(first.take()), ElementsAre("job queue: i:2;"));
  EXPECT_THAT(receivedOn(second), IsEmpty());
  enqueue("i:3;");
  enqueue("i:4;");
  applyAndSync(second);
  EXPECT_THAT(textsOf(second.take()), ElementsAre("job queue: i:3;"));
  EXPECT_THAT(receivedOn(first), IsEmpty()) << "it had one reservation";
}

TEST_F(SharedJobsTest, AConsumerThatIsNewlyLinkedWhenItLosesTheRaceGetsAnotherJob) {
  startNode();
  Link former = consumer(7);
  handTo(kTheirs, enqueue("i:1;"));
  log->apply(1);
  sync(former);
  Link link = stormoLink(7);  // its Welcome counts the job
  log->applyAll();
  sync(link);
  link.send(watch());
  sync(link);
  enqueue("i:2;");
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:2;"));
}

TEST_F(SharedJobsTest, OfTwoRecordsForOneJobTheFirstCounts) {
  startNode();
  Link link = consumer(7);
  // The other node hands the job, and gives it back, before the first record of this node comes.
  const std::uint64_t number = enqueue("i:1;");
  const std::uint64_t lease = handTo(kTheirs, number);
  shared.append(kOther, {.kind = Kind::Return, .job = lease}, kTheirs);
  link.send(reserve());
  sync(link);
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:1;"));
  enqueue("i:2;");
  enqueue("i:3;");
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:2;")) << "it has two reservations";
}

TEST_F(SharedJobsTest, ARestartedNodeTakesBackOnlyItsOwnJobs) {
  const std::uint64_t own = handTo(50, enqueue("i:1;"), kOwn);
  handTo(60, enqueue("i:2;"), kOther);
  server.linkStallMax = std::chrono::milliseconds(20);
  restartNode();
  const std::size_t before = shared.batches.size();
  ASSERT_TRUE(turnUntil([&] { return shared.batches.size() > before; }));
  settle();
  EXPECT_EQ(lastAppended().kind, Kind::Return);
  EXPECT_EQ(lastAppended().job, own);
  EXPECT_EQ(countRecords(shared.batches.back().records), 1u);
}

TEST_F(SharedJobsTest, JobsOfANodeThatIsGoneAreHandedHere) {
  startNode();
  Link link = consumer(7, 2);
  const std::uint64_t one = enqueue("i:1;");
  const std::uint64_t two = enqueue("i:2;");
  handTo(kTheirs, one);
  handTo(kTheirs, two);
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), IsEmpty());
  shared.nodeGone(kOther);
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:1;", "job queue: i:2;"));
}

TEST_F(SharedJobsTest, ANodeThatWasDeclaredGoneHandsItsJobsOnceMore) {
  startNode();
  Link link = consumer(7);
  enqueue("i:1;");
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:1;"));
  const std::uint64_t lease = shared.batches.size();
  shared.nodeGone(kOwn);
  applyAndSync(link);
  link.send(encode({.kind = Kind::Finish, .sequence = 1, .job = lease}));
  sync(link);
  link.send(reserve());
  sync(link);
  applyAndSync(link);
  EXPECT_THAT(textsOf(link.take()), ElementsAre("job queue: i:1;")) << "nobody had it any more";
  link.peer = {};  // and nothing of the former lease is left
  settle();
}

}  // namespace
}  // namespace stormo::channel
