#include "channel/server/job_dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Consumers are numbers. What is handed out is recorded as "1 jobs: 0".
class JobDispatcherTest : public testing::Test, protected JobSink {
 protected:
  void hand(ConsumerId consumer, std::uint64_t number, std::string_view queue) override {
    handed.push_back(std::to_string(consumer) + " " + std::string(queue) + ": " +
                     std::to_string(number));
  }
  std::vector<std::string> take() { return std::exchange(handed, {}); }

  JobDispatcher queues{*this};
  std::vector<std::string> handed;
};

TEST_F(JobDispatcherTest, JobGoesToOneConsumerWithAReservation) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.watch(3, "jobs");
  queues.reserve(2);
  queues.add(1, "jobs");
  EXPECT_THAT(take(), ElementsAre("2 jobs: 1"));
}

TEST_F(JobDispatcherTest, JobWaitsForAReservation) {
  queues.watch(1, "jobs");
  queues.add(1, "jobs");
  queues.add(2, "jobs");
  EXPECT_THAT(take(), IsEmpty());
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1"));
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: 2"));
  EXPECT_EQ(queues.jobCount("jobs"), 0u);
}

TEST_F(JobDispatcherTest, QueuesMayBeUnwatchedInAnyOrder) {
  for (const char* queue : {"a", "b", "c", "d"}) queues.watch(1, queue);
  queues.watch(1, "b");  // once more
  queues.unwatch(1, "a");
  queues.unwatch(1, "d");
  queues.unwatch(1, "a");
  queues.watch(1, "e");
  for (int i = 0; i < 3; ++i) queues.reserve(1);
  for (const char* queue : {"a", "b", "c", "d", "e"}) queues.add(5, queue);
  EXPECT_THAT(take(), ElementsAre("1 b: 5", "1 c: 5", "1 e: 5"));
  for (const char* queue : {"b", "c", "e"}) queues.unwatch(1, queue);
  EXPECT_EQ(queues.queueCount(), 2u) << "a and d, with a job each";
}

TEST_F(JobDispatcherTest, ReservationIsUsedByOneJob) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.add(1, "jobs");
  queues.add(2, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1"));
  EXPECT_EQ(queues.jobCount("jobs"), 1u);
}

TEST_F(JobDispatcherTest, ReservationsAddUp) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.reserve(1);
  for (const std::uint64_t job : {1, 2, 3}) queues.add(job, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2"));
}

TEST_F(JobDispatcherTest, LongestWaitingConsumerIsNext) {
  for (const ConsumerId consumer : {1, 2, 3}) queues.watch(consumer, "jobs");
  for (const ConsumerId consumer : {3, 1, 2}) queues.reserve(consumer);
  for (const std::uint64_t job : {1, 2}) queues.add(job, "jobs");
  queues.reserve(3);
  for (const std::uint64_t job : {3, 4}) queues.add(job, "jobs");
  EXPECT_THAT(take(), ElementsAre("3 jobs: 1", "1 jobs: 2", "2 jobs: 3", "3 jobs: 4"));
}

TEST_F(JobDispatcherTest, SeveralReservationsOfOneConsumerDoNotOvertakeOthers) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.reserve(1);
  queues.reserve(1);
  queues.reserve(2);
  for (const std::uint64_t job : {1, 2, 3}) queues.add(job, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "2 jobs: 2", "1 jobs: 3"));
}

TEST_F(JobDispatcherTest, ReservationIsForAnyWatchedQueue) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.reserve(1);
  queues.add(1, "blue");
  queues.add(2, "red");
  EXPECT_THAT(take(), ElementsAre("1 blue: 1"));
}

TEST_F(JobDispatcherTest, UsedReservationIsRemovedFromAllQueues) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.watch(2, "red");
  queues.reserve(1);
  queues.reserve(2);
  queues.add(1, "blue");
  queues.reserve(1);  // now after consumer 2, in the line of red too
  queues.add(2, "red");
  queues.add(3, "red");
  EXPECT_THAT(take(), ElementsAre("1 blue: 1", "2 red: 2", "1 red: 3"));
}

TEST_F(JobDispatcherTest, BusyQueueDoesNotStarveAnother) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  for (const std::uint64_t job : {1, 2, 3}) queues.add(job, "red");
  queues.add(9, "blue");
  queues.reserve(1);
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 red: 1", "1 blue: 9"));
}

TEST_F(JobDispatcherTest, WatchWithAReservationTakesAWaitingJob) {
  queues.watch(1, "red");
  queues.reserve(1);
  queues.add(1, "blue");
  queues.add(2, "blue");
  queues.watch(1, "blue");
  EXPECT_THAT(take(), ElementsAre("1 blue: 1"));
  queues.add(3, "red");
  EXPECT_THAT(take(), IsEmpty()) << "the reservation is used up";
}

TEST_F(JobDispatcherTest, ReserveWithoutAWatchDoesNothing) {
  queues.reserve(1);
  queues.watch(1, "jobs");
  queues.add(1, "jobs");
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(JobDispatcherTest, UnwatchingTheLastQueueRemovesReservations) {
  queues.watch(1, "red");
  queues.reserve(1);
  queues.unwatch(1, "red");
  queues.watch(1, "blue");
  queues.add(1, "blue");
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(JobDispatcherTest, UnwatchingOneQueueKeepsReservations) {
  queues.watch(1, "red");
  queues.watch(1, "blue");
  queues.reserve(1);
  queues.unwatch(1, "red");
  queues.add(1, "red");
  queues.add(2, "blue");
  EXPECT_THAT(take(), ElementsAre("1 blue: 2"));
}

TEST_F(JobDispatcherTest, SecondWatchChangesNothing) {
  queues.watch(1, "jobs");
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.add(1, "jobs");
  queues.add(2, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1"));
  queues.unwatch(1, "jobs");
  queues.unwatch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 1u) << "its job waits";
}

TEST_F(JobDispatcherTest, RemovedConsumerGetsNothing) {
  queues.watch(1, "jobs");
  queues.watch(2, "jobs");
  queues.reserve(1);
  queues.reserve(2);
  queues.remove(1);
  queues.remove(9);
  queues.add(1, "jobs");
  EXPECT_THAT(take(), ElementsAre("2 jobs: 1"));
}

TEST_F(JobDispatcherTest, QueueWithoutWatchersAndJobsIsRemoved) {
  queues.watch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 1u);
  queues.unwatch(1, "jobs");
  EXPECT_EQ(queues.queueCount(), 0u);

  queues.add(1, "jobs");
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.remove(1);
  EXPECT_EQ(queues.queueCount(), 0u);
  queues.unwatch(1, "nowhere");
  EXPECT_EQ(queues.queueCount(), 0u);
}

// Each round leaves a stale place in the line of the idle queue.
TEST_F(JobDispatcherTest, StalePlacesOfAnIdleQueueKeepTheOrder) {
  for (const ConsumerId consumer : {1, 2}) {
    queues.watch(consumer, "idle");
    queues.watch(consumer, "busy");
  }
  for (int round = 0; round < 1000; ++round) {
    queues.reserve(1);
    queues.reserve(2);
    queues.add(1, "busy");
    queues.add(2, "busy");
    ASSERT_THAT(take(), ElementsAre("1 busy: 1", "2 busy: 2"));
  }
  queues.reserve(2);
  queues.reserve(1);
  queues.add(3, "idle");
  queues.add(4, "idle");
  queues.add(5, "idle");
  EXPECT_THAT(take(), ElementsAre("2 idle: 3", "1 idle: 4"));
}

TEST_F(JobDispatcherTest, JobThatIsGivenBackIsTheNextOne) {
  queues.watch(1, "jobs");
  for (const std::uint64_t job : {1, 2, 3}) queues.add(job, "jobs");
  queues.reserve(1);
  queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2"));
  queues.add(2, "jobs");
  queues.add(1, "jobs");
  for (int i = 0; i < 3; ++i) queues.reserve(1);
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2", "1 jobs: 3"));
}

TEST_F(JobDispatcherTest, JobThatWasTakenElsewhereDoesNotWait) {
  for (const std::uint64_t job : {1, 2, 3}) queues.add(job, "jobs");
  queues.taken(2, "jobs");
  queues.taken(2, "jobs");
  queues.taken(1, "none");
  EXPECT_EQ(queues.jobCount("jobs"), 2u);
  queues.taken(1, "jobs");
  queues.taken(3, "jobs");
  EXPECT_FALSE(queues.has("jobs"));
}

TEST_F(JobDispatcherTest, ReservationThatComesBackIsTheNextOne) {
  for (const ConsumerId consumer : {1, 2, 3}) queues.watch(consumer, "jobs");
  for (const ConsumerId consumer : {1, 2, 3}) queues.reserve(consumer);
  queues.add(1, "jobs");
  EXPECT_TRUE(queues.reserveFirst(1));
  for (const std::uint64_t job : {2, 3, 4, 5}) queues.add(job, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2", "2 jobs: 3", "3 jobs: 4"));
}

TEST_F(JobDispatcherTest, ReservationThatComesBackPrecedesThoseOfItsConsumer) {
  for (const ConsumerId consumer : {1, 2}) queues.watch(consumer, "jobs");
  for (const ConsumerId consumer : {1, 1, 2}) queues.reserve(consumer);
  queues.add(1, "jobs");
  EXPECT_TRUE(queues.reserveFirst(1));
  for (const std::uint64_t job : {2, 3, 4, 5}) queues.add(job, "jobs");
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2", "2 jobs: 3", "1 jobs: 4"));
}

TEST_F(JobDispatcherTest, ReservationThatComesBackTakesAWaitingJob) {
  queues.watch(1, "jobs");
  queues.reserve(1);
  queues.add(1, "jobs");
  queues.add(2, "jobs");
  EXPECT_TRUE(queues.reserveFirst(1));
  EXPECT_THAT(take(), ElementsAre("1 jobs: 1", "1 jobs: 2"));
  EXPECT_FALSE(queues.reserveFirst(2)) << "it watches no queue";
}

}  // namespace
}  // namespace stormo::channel
