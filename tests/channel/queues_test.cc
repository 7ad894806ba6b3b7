// Queues over links. Tests of JobQueues alone are in job_queue_test.cc.
#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string watch(std::string_view queue) { return command(CommandType::Watch, {queue}); }
std::string reserve() { return command(CommandType::Reserve); }
std::string enqueue(std::string_view queue, std::string_view data) {
  return command(CommandType::Enqueue, {queue}, data);
}
std::string ourEnqueue(std::string_view queue, std::string_view data) {
  return encode({.kind = Kind::Enqueue, .channel = queue, .payload = data});
}
std::string ourWatch(std::string_view queue) {
  return encode({.kind = Kind::Watch, .channel = queue});
}

class Queues : public ChannelTest {
 protected:
  Queues() { start(); }
};

TEST_F(Queues, JobIsDeliveredBetweenDialects) {
  Link php = workermanLink(watch("jobs") + reserve());
  Link ours = stormoLink();
  ours.send(ourEnqueue("jobs", "i:1;"));
  sync(ours);
  EXPECT_THAT(receivedOn(php), ElementsAre(jobPayload("jobs", "i:1;")));

  ours.send(ourWatch("more") + encode({.kind = Kind::Reserve}));
  sync(ours);
  php.send(enqueue("more", "i:2;"));
  sync(php);
  EXPECT_THAT(receivedOn(ours), ElementsAre("job more: i:2;"));
}

TEST_F(Queues, EachJobGoesToOneConsumer) {
  std::vector<Link> links;
  for (int i = 0; i < 3; ++i) links.push_back(workermanLink(watch("jobs") + reserve()));
  Link publisher = workermanLink();
  for (int i = 0; i < 3; ++i) publisher.send(enqueue("jobs", "i:" + std::to_string(i) + ";"));
  sync(publisher);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(receivedOn(links[static_cast<std::size_t>(i)]),
                ElementsAre(jobPayload("jobs", "i:" + std::to_string(i) + ";")));
  }
}

TEST_F(Queues, WaitingJobsKeepTheirOrder) {
  Link publisher = workermanLink(enqueue("jobs", "i:1;") + enqueue("jobs", "i:2;"));
  Link consumer = workermanLink(watch("jobs"));
  EXPECT_THAT(receivedOn(consumer), IsEmpty());
  consumer.send(reserve() + reserve());
  EXPECT_THAT(receivedOn(consumer),
              ElementsAre(jobPayload("jobs", "i:1;"), jobPayload("jobs", "i:2;")));
}

TEST_F(Queues, UnwatchingConsumerGetsNoMoreJobs) {
  Link ours = stormoLink();
  ours.send(ourWatch("jobs") + encode({.kind = Kind::Reserve}) +
            encode({.kind = Kind::Unwatch, .channel = "jobs"}) + ourEnqueue("jobs", "N;"));
  EXPECT_THAT(receivedOn(ours), IsEmpty());
}

TEST_F(Queues, ClosedConsumerLosesItsReservation) {
  { Link dead = workermanLink(watch("jobs") + reserve()); }
  ASSERT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
  Link consumer = workermanLink(watch("jobs") + enqueue("jobs", "i:1;") + reserve());
  EXPECT_THAT(receivedOn(consumer), ElementsAre(jobPayload("jobs", "i:1;")));
}

// The link's end and the job arrive in one turn, so the queues have not removed the consumer yet.
TEST_F(Queues, JobSkipsAConsumerThatIsClosing) {
  Link closing = workermanLink(watch("jobs") + reserve());
  Link alive = workermanLink(watch("jobs") + reserve());
  closing.send(std::string_view("\0\0\0\1", 4));
  alive.send(enqueue("jobs", "i:1;"));
  EXPECT_THAT(receivedOn(alive), ElementsAre(jobPayload("jobs", "i:1;")));
}

TEST_F(Queues, FullQueueRejectsAndCounts) {
  server.queueBytesMax = 1000;
  start();
  Link publisher = workermanLink();
  const std::string data = "s:400:\"" + std::string(400, 'x') + "\";";
  for (int i = 0; i < 5; ++i) publisher.send(enqueue("jobs", data));
  sync(publisher);
  EXPECT_EQ(counters().sendFull.get(), 3u);
  Link consumer = workermanLink(watch("jobs") + reserve() + reserve() + reserve());
  EXPECT_EQ(receivedOn(consumer).size(), 2u);
  publisher.send(enqueue("jobs", "i:1;"));
  sync(publisher);
  EXPECT_EQ(receivedOn(consumer).size(), 1u) << "it takes jobs again";
}

}  // namespace
}  // namespace stormo::channel
