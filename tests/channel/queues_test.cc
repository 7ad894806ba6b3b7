// Queues over links. Tests of JobDispatcher alone are in job_dispatcher_test.cc.
#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"
#include "channel/log/file_log.h"
#include "channel/log/simulated_log_directory.h"

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

// The log is on its way to the disk while the link breaks.
TEST_F(Queues, ProcessWhoseLinkBreaksWhileAJobIsHandedToItGetsThatJob) {
  test::SimulatedLogDirectory directory;
  makeLog = [&] {
    return std::make_unique<FileLog>(directory, LogSettings{.sync = SyncPolicy::Always});
  };
  start();
  const std::string takes = ourWatch("jobs") + encode({.kind = Kind::Reserve});
  std::optional<Link> broken = stormoLink(1);
  broken->send(takes + ourEnqueue("jobs", "i:1;"));
  ASSERT_TRUE(turnUntil([&] { return directory.hasPendingSync(); }));
  directory.completeSync();  // the job waits, and is handed out
  ASSERT_TRUE(turnUntil([&] { return directory.hasPendingSync(); }));
  broken.reset();
  ASSERT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
  Link other = stormoLink(2);
  other.send(takes);
  sync(other);
  directory.completeSync();
  Link again = link();
  again.send(hello(1));
  EXPECT_THAT(await(again, 2), ElementsAre("welcome", "job jobs: i:1;"));
  for (int i = 0; i < 10; ++i) {
    settle();
    while (directory.hasPendingSync()) directory.completeSync();
  }
  EXPECT_THAT(receivedOn(other), IsEmpty());
  process.reset();
}

TEST_F(Queues, JobOfAnEarlierEpochDoesNotEndTheJobThatHasItsNumberNow) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::string port = std::to_string(localAddress(listener.get()).port());
  const auto client = std::make_unique<ClientLink>("stormo://127.0.0.1:" + port);
  std::vector<std::uint64_t> numbers;
  client->onJob = [&](std::uint64_t number, auto&&...) { numbers.push_back(number); };
  client->connect();
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    UniqueFd fd;
    ASSERT_TRUE(turnUntil([&] {
      fd = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return fd.valid();
    }));
    Link link{.peer = test::RawPeer(std::move(fd)), .payloads = {}};
    link.send(welcome(epoch) + job("jobs", "i:1;", 7));
    ASSERT_TRUE(turnUntil([&] { return numbers.size() == epoch; }));
  }
  client->dialect().finishJob(numbers[0]);
  EXPECT_EQ(client->dialect().unackedBytes(), 0u);
  client->dialect().finishJob(numbers[1]);
  EXPECT_GT(client->dialect().unackedBytes(), 0u);
}

TEST_F(Queues, FullQueueRejectsAndCounts) {
  server.queueBytesMax = 1000;
  start();
  Link publisher = workermanLink();
  const std::string data = "s:400:\"" + std::string(400, 'x') + "\";";
  std::string together;
  for (int i = 0; i < 4; ++i) together += enqueue("jobs", data);
  publisher.send(together);
  sync(publisher);
  EXPECT_EQ(counters().sendFull.get(), 2u);
  publisher.send(enqueue("jobs", data));
  sync(publisher);
  EXPECT_EQ(counters().sendFull.get(), 3u);
  Link consumer = workermanLink(watch("jobs") + reserve() + reserve() + reserve());
  EXPECT_EQ(receivedOn(consumer).size(), 2u);
  consumer.send(reserve() + reserve());  // so both are done
  sync(consumer);
  publisher.send(enqueue("jobs", "i:1;"));
  sync(publisher);
  EXPECT_EQ(receivedOn(consumer).size(), 1u) << "it takes jobs again";
}

TEST_F(Queues, JobsThatWaitForTheDiskCountForTheLimitOfTheirQueue) {
  test::SimulatedLogDirectory directory;
  makeLog = [&] {
    return std::make_unique<FileLog>(directory, LogSettings{.sync = SyncPolicy::Always});
  };
  server.queueBytesMax = 1000;
  start();
  Link publisher = stormoLink(1);
  const std::string data = "s:400:\"" + std::string(400, 'x') + "\";";
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    publisher.send(
        encode({.kind = Kind::Enqueue, .sequence = sequence, .channel = "jobs", .payload = data}));
    settle();
  }
  EXPECT_TRUE(turnUntil([&] {
    if (directory.hasPendingSync()) directory.completeSync();
    publisher.received();
    return publisher.acknowledged == 4;
  }));
  EXPECT_THAT(textsOf(publisher.take()),
              ElementsAre("rejected 3: the queue is full", "rejected 4: the queue is full"));
  process.reset();
}

TEST_F(Queues, RejectedJobStaysRejectedWhenItIsResentAfterLaterOnes) {
  server.queueBytesMax = 1000;
  start();
  const std::string large = "s:400:\"" + std::string(400, 'x') + "\";";
  const auto enqueueOf = [](std::uint64_t sequence, std::string_view queue, std::string_view data) {
    return encode({.kind = Kind::Enqueue, .sequence = sequence, .channel = queue, .payload = data});
  };
  {
    Link publisher = stormoLink(7);
    for (const std::uint64_t sequence : {1, 2}) {
      publisher.send(enqueueOf(sequence, "jobs", large));
      sync(publisher);
    }
    publisher.send(enqueueOf(3, "jobs", large) + enqueueOf(4, "other", "i:4;"));
    EXPECT_THAT(receivedOn(publisher), ElementsAre("rejected 3: the queue is full"));
  }
  Link consumer = workermanLink(watch("jobs") + reserve());
  consumer.send(reserve() + reserve());
  EXPECT_EQ(receivedOn(consumer).size(), 2u);
  // The publisher does not know yet: its link has ended before it could read that.
  Link publisher = stormoLink(7);
  publisher.send(enqueueOf(3, "jobs", large) + enqueueOf(4, "other", "i:4;"));
  EXPECT_THAT(receivedOn(publisher), ElementsAre("rejected 3: the queue is full"));
  EXPECT_EQ(publisher.acknowledged, 4u);
  EXPECT_THAT(receivedOn(consumer), IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
