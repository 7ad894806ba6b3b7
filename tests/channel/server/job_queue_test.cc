#include "channel/server/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Consumers are numbers. Deliveries are recorded as "1 jobs: a".
class JobQueuesTest : public testing::Test, protected JobSink {
 protected:
  bool deliver(ConsumerId consumer, std::string_view queue, std::string_view data) override {
    if (removed.contains(consumer)) return false;
    delivered.push_back(std::to_string(consumer) + " " + std::string(queue) + ": " +
                        std::string(data));
    return true;
  }
  void onQueueFull(std::string_view queue) override { full.emplace_back(queue); }
  std::vector<std::string> take() { return std::exchange(delivered, {}); }

  JobQueues queues{1000, *this};
  std::vector<std::string> delivered;
  std::vector<std::string> full;
  std::set<ConsumerId> removed;
};

TEST_F(JobQueuesTest, JobGoesToOneConsumerWithAReservation) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.watch(3, "jobs");
  queues.reserve(2);
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_THAT(take(), ElementsAre("2 jobs: a"));
}

TEST_F(JobQueuesTest, JobWaitsForAReservation) {
  queues.watch(1, "jobs");
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_TRUE(queues.enqueue("jobs", "b"));
  EXPECT_THAT(take(), IsEmpty());
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: a"));
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: b"));
  EXPECT_EQ(queues.jobCount("jobs"), 0u);
}

TEST_F(JobQueuesTest, QueuesMayBeUnwatchedInAnyOrder) {
  for (const char* queue : {"a", "b", "c", "d"}) queues.watch(1, queue);
  queues.watch(1, "b");  // once more
  queues.unwatch(1, "a");
  queues.unwatch(1, "d");
  queues.unwatch(1, "a");
  queues.watch(1, "e");
  for (int i = 0; i < 3; ++i) queues.reserve(1);
  for (const char* queue : {"a", "b", "c", "d", "e"}) EXPECT_TRUE(queues.enqueue(queue, "job"));
  EXPECT_THAT(take(), ElementsAre("1 b: job", "1 c: job", "1 e: job"));
  for (const char* queue : {"b", "c", "e"}) queues.unwatch(1, queue);
  EXPECT_EQ(queues.queueCount(), 2u) << "a and d, with a job each";
}

TEST_F(JobQueuesTest, ReservationIsUsedByOneJob) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_TRUE(queues.enqueue("jobs", "b"));
  EXPECT_THAT(take(), ElementsAre("1 jobs: a"));
  EXPECT_EQ(queues.jobCount("jobs"), 1u);
}

TEST_F(JobQueuesTest, ReservationsAddUp) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.reserve(1);
  for (const char* job : {"a", "b", "c"}) EXPECT_TRUE(queues.enqueue("jobs", job));
  EXPECT_THAT(take(), ElementsAre("1 jobs: a", "1 jobs: b"));
}

TEST_F(JobQueuesTest, LongestWaitingConsumerIsNext) {
  for (const ConsumerId consumer : {1, 2, 3}) queues.watch(consumer, "jobs");
  for (const ConsumerId consumer : {3, 1, 2}) queues.reserve(consumer);
  for (const char* job : {"a", "b"}) EXPECT_TRUE(queues.enqueue("jobs", job));
  queues.reserve(3);
  for (const char* job : {"c", "d"}) EXPECT_TRUE(queues.enqueue("jobs", job));
  EXPECT_THAT(take(), ElementsAre("3 jobs: a", "1 jobs: b", "2 jobs: c", "3 jobs: d"));
}

TEST_F(JobQueuesTest, SeveralReservationsOfOneConsumerDoNotOvertakeOthers) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.reserve(1);
  queues.reserve(1);
  queues.reserve(2);
  for (const char* job : {"a", "b", "c"}) EXPECT_TRUE(queues.enqueue("jobs", job));
  EXPECT_THAT(take(), ElementsAre("1 jobs: a", "2 jobs: b", "1 jobs: c"));
}

TEST_F(JobQueuesTest, ReservationIsForAnyWatchedQueue) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("blue", "a"));
  EXPECT_TRUE(queues.enqueue("red", "b"));
  EXPECT_THAT(take(), ElementsAre("1 blue: a"));
}

TEST_F(JobQueuesTest, UsedReservationIsRemovedFromAllQueues) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.watch(2, "red");
  queues.reserve(1);
  queues.reserve(2);
  EXPECT_TRUE(queues.enqueue("blue", "a"));
  queues.reserve(1);  // now after consumer 2, in the line of red too
  EXPECT_TRUE(queues.enqueue("red", "b"));
  EXPECT_TRUE(queues.enqueue("red", "c"));
  EXPECT_THAT(take(), ElementsAre("1 blue: a", "2 red: b", "1 red: c"));
}

TEST_F(JobQueuesTest, BusyQueueDoesNotStarveAnother) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  for (const char* job : {"a", "b", "c"}) EXPECT_TRUE(queues.enqueue("red", job));
  EXPECT_TRUE(queues.enqueue("blue", "x"));
  queues.reserve(1);
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 red: a", "1 blue: x"));
}

TEST_F(JobQueuesTest, WatchWithAReservationTakesAWaitingJob) {
  queues.watch(1, "red");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("blue", "a"));
  EXPECT_TRUE(queues.enqueue("blue", "b"));
  queues.watch(1, "blue");
  EXPECT_THAT(take(), ElementsAre("1 blue: a"));
  EXPECT_TRUE(queues.enqueue("red", "c"));
  EXPECT_THAT(take(), IsEmpty()) << "the reservation is used up";
}

TEST_F(JobQueuesTest, ReserveWithoutAWatchDoesNothing) {
  queues.reserve(1);
  queues.watch(1, "jobs");
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(JobQueuesTest, UnwatchingTheLastQueueRemovesReservations) {
  queues.watch(1, "red");
  queues.reserve(1);
  queues.unwatch(1, "red");
  queues.watch(1, "blue");
  EXPECT_TRUE(queues.enqueue("blue", "a"));
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(JobQueuesTest, UnwatchingOneQueueKeepsReservations) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.reserve(1);
  queues.unwatch(1, "red");
  EXPECT_TRUE(queues.enqueue("red", "a"));
  EXPECT_TRUE(queues.enqueue("blue", "b"));
  EXPECT_THAT(take(), ElementsAre("1 blue: b"));
}

TEST_F(JobQueuesTest, SecondWatchChangesNothing) {
  queues.watch(1, "jobs");
  queues.watch(1, "jobs");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_TRUE(queues.enqueue("jobs", "b"));
  EXPECT_THAT(take(), ElementsAre("1 jobs: a"));
  queues.unwatch(1, "jobs");
  queues.unwatch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 1u) << "its job waits";
}

TEST_F(JobQueuesTest, RemovedConsumerGetsNothing) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.reserve(1);
  queues.reserve(2);
  queues.remove(1);
  queues.remove(9);
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_THAT(take(), ElementsAre("2 jobs: a"));
}

TEST_F(JobQueuesTest, JobGoesToTheNextConsumerIfDeliveryFails) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.reserve(1);
  queues.reserve(2);
  removed = {1};
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_THAT(take(), ElementsAre("2 jobs: a"));
}

TEST_F(JobQueuesTest, JobWaitsIfDeliveryFailsForAllConsumers) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  removed = {1};
  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  EXPECT_EQ(queues.jobCount("jobs"), 1u);
  queues.watch(2, "jobs");
  queues.reserve(2);
  EXPECT_THAT(take(), ElementsAre("2 jobs: a"));
}

TEST_F(JobQueuesTest, FullQueueRejectsJobsAndReportsItOnce) {
  const std::string half(400, 'x');
  EXPECT_TRUE(queues.enqueue("jobs", half));
  EXPECT_TRUE(queues.enqueue("jobs", half));
  EXPECT_FALSE(queues.enqueue("jobs", half));
  EXPECT_FALSE(queues.enqueue("jobs", half));
  EXPECT_THAT(full, ElementsAre("jobs"));
  EXPECT_TRUE(queues.enqueue("other", half)) << "every queue has its own bound";

  queues.watch(1, "jobs");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("jobs", half));
  EXPECT_FALSE(queues.enqueue("jobs", half));
  EXPECT_THAT(full, ElementsAre("jobs", "jobs"));
}

TEST_F(JobQueuesTest, LimitIncludesTheOverheadOfAJob) {
  std::size_t taken = 0;
  while (taken < 1000 && queues.enqueue("jobs", "")) ++taken;
  EXPECT_EQ(taken, 1000 / JobQueues::kJobOverheadBytes);
}

TEST_F(JobQueuesTest, JobAboveTheLimitIsRejectedUnlessAConsumerWaits) {
  const std::string huge(2000, 'x');
  EXPECT_FALSE(queues.enqueue("jobs", huge));
  EXPECT_EQ(queues.queueCount(), 0u);
  queues.watch(1, "jobs");
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("jobs", huge));
}

TEST_F(JobQueuesTest, QueueWithoutWatchersAndJobsIsRemoved) {
  queues.watch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 1u);
  queues.unwatch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 0u);

  EXPECT_TRUE(queues.enqueue("jobs", "a"));
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.remove(1);
  EXPECT_EQ(queues.queueCount(), 0u);
  queues.unwatch(1, "nowhere");
  EXPECT_EQ(queues.queueCount(), 0u);
}

// Each round leaves a stale place in the line of the idle queue.
TEST_F(JobQueuesTest, StalePlacesOfAnIdleQueueKeepTheOrder) {
  for (const ConsumerId consumer : {1, 2}) {
    queues.watch(consumer, "idle");
    queues.watch(consumer, "busy");
  }
  for (int round = 0; round < 1000; ++round) {
    queues.reserve(1);
    queues.reserve(2);
    EXPECT_TRUE(queues.enqueue("busy", "a"));
    EXPECT_TRUE(queues.enqueue("busy", "b"));
    ASSERT_THAT(take(), ElementsAre("1 busy: a", "2 busy: b"));
  }
  queues.reserve(2);
  queues.reserve(1);
  EXPECT_TRUE(queues.enqueue("idle", "c"));
  EXPECT_TRUE(queues.enqueue("idle", "d"));
  EXPECT_TRUE(queues.enqueue("idle", "e"));
  EXPECT_THAT(take(), ElementsAre("2 idle: c", "1 idle: d"));
}

}  // namespace
}  // namespace stormo::channel
