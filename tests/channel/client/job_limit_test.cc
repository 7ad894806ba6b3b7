// A process has at most the number of jobs that it has requested, over all its links.
#include <stormo/channel.h>

#include <deque>

#include "channel/channel_fixture.h"
#include "channel/log/file_log.h"
#include "channel/log/simulated_log_directory.h"

namespace stormo::channel {
namespace {

class JobLimitTest : public ChannelTest {
 protected:
  void keepJobs(Channel& channel) {
    channel.watch(
        "jobs", [this](Job job) { kept.push_back(std::move(job)); }, 1);
  }
  void endJobs() {
    for (Job& job : std::exchange(kept, {})) job.done();
  }

  std::deque<Job> kept;
};

// The log is on its way to the disk while the link breaks.
TEST_F(JobLimitTest, JobHandedOutWhileTheLinkBreaksIsCountedOnceAfterTheReconnect) {
  test::SimulatedLogDirectory directory;
  makeLog = [&] {
    return std::make_unique<FileLog>(directory, LogSettings{.sync = SyncPolicy::Always});
  };
  start();
  Channel channel(url("stormo"));
  keepJobs(channel);
  channel.connect();
  ASSERT_TRUE(turnUntil([&] { return channel.isConnected(); }));
  settle();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(channel.enqueue("jobs", i), PublishStatus::Accepted);
  ASSERT_TRUE(turnUntil([&] { return directory.hasPendingSync(); }));
  directory.completeSync();  // the jobs wait, and the first one is handed out
  ASSERT_TRUE(turnUntil([&] { return directory.hasPendingSync(); }));

  net::ConnectionTable::of(loop).forEach([&](net::ConnectionImpl& each) { each.destroy(); });
  ASSERT_TRUE(turnUntil([&] { return !channel.isConnected(); }));
  ASSERT_TRUE(turnUntil([&] { return channel.isConnected(); }));
  settle();
  const auto syncUntil = [&](const auto& condition) {
    return turnUntil([&] {
      if (directory.hasPendingSync()) directory.completeSync();
      return condition();
    });
  };
  for (std::int64_t number = 1; number <= 3; ++number) {
    ASSERT_TRUE(syncUntil([&] { return !kept.empty(); }));
    bool synced = false;
    channel.subscribe("sync", [&](const Value&) { synced = true; });
    EXPECT_EQ(channel.publish("sync", nullptr), PublishStatus::Accepted);
    ASSERT_TRUE(syncUntil([&] { return synced; }));
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept.front().data().asInt(), number);
    endJobs();
  }
  channel.close();
  process.reset();
}

/// A server that sends only what the test sends.
class JobLimitClientTest : public JobLimitTest {
 protected:
  JobLimitClientTest() : listener(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {}

  void acceptLink() {
    UniqueFd fd;
    ASSERT_TRUE(turnUntil([&] {
      fd = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return fd.valid();
    }));
    served = Link{.peer = test::RawPeer(std::move(fd)), .payloads = {}};
  }
  void welcomeWith(std::uint64_t epoch, std::uint64_t jobCount) {
    served.send(encode({.kind = Kind::Welcome,
                        .version = kProtocolVersion,
                        .epoch = epoch,
                        .frameBytesMax = kDefaultFrameBytesMax,
                        .jobCount = jobCount}));
    ASSERT_TRUE(turnUntil([&] { return channel.isConnected(); }));
  }
  /// Those that the client has sent on this link since the last call.
  std::size_t reserves() {
    EXPECT_EQ(channel.publish("marker", nullptr), PublishStatus::Accepted);
    const std::uint64_t marker = channel.accepted();
    std::size_t count = 0;
    bool isAtMarker = false;
    EXPECT_TRUE(turnUntil([&] {
      for (const std::string& payload : served.take()) {
        Packet packet;
        EXPECT_EQ(decode(payload, packet), Decode::Ok);
        if (packet.kind == Kind::Reserve) ++count;
        isAtMarker |= packet.kind == Kind::Publish && packet.sequence == marker;
      }
      return isAtMarker;
    }));
    return count;
  }

  UniqueFd listener;
  Link served;
  Channel channel{"stormo://127.0.0.1:" + std::to_string(localAddress(listener.get()).port())};
};

TEST_F(JobLimitClientTest, JobThatEndsInItsHandlerAfterAReconnectReservesOne) {
  std::size_t done = 0;
  channel.watch("jobs", [&](Job job) {
    job.done();
    ++done;
  });
  channel.connect();
  acceptLink();
  welcomeWith(1, 0);
  EXPECT_EQ(reserves(), 1u);
  served.peer.close();
  acceptLink();
  welcomeWith(1, 1);
  EXPECT_EQ(reserves(), 0u) << "the reserved job is on its way";
  served.send(job("jobs", "i:1;", 1));
  ASSERT_TRUE(turnUntil([&] { return done == 1; }));
  EXPECT_EQ(reserves(), 1u);
}

TEST_F(JobLimitClientTest, JobOfAnEarlierWatchReservesNone) {
  keepJobs(channel);
  channel.connect();
  acceptLink();
  welcomeWith(1, 0);
  EXPECT_EQ(reserves(), 1u);
  served.send(job("jobs", "i:1;", 1));
  ASSERT_TRUE(turnUntil([&] { return kept.size() == 1; }));
  channel.unwatch("jobs");
  keepJobs(channel);
  EXPECT_EQ(reserves(), 1u);
  endJobs();
  EXPECT_EQ(reserves(), 0u);
}

TEST_F(JobLimitClientTest, JobOfAQueueThatIsNotWatchedAnyMoreReservesOneOfTheOthers) {
  channel.watch({"jobs", "others"}, [this](Job job) { kept.push_back(std::move(job)); });
  channel.connect();
  acceptLink();
  welcomeWith(1, 0);
  EXPECT_EQ(reserves(), 1u);
  served.send(job("jobs", "i:1;", 1));
  ASSERT_TRUE(turnUntil([&] { return kept.size() == 1; }));
  channel.unwatch("jobs");
  endJobs();
  EXPECT_EQ(reserves(), 1u);
}

// In a new epoch the Channel sends a job again, as it cannot know that the process has it.
TEST_F(JobLimitClientTest, JobThatIsRedeliveredInANewEpochReservesOneForBothOfIt) {
  keepJobs(channel);
  channel.connect();
  acceptLink();
  welcomeWith(1, 0);
  EXPECT_EQ(reserves(), 1u);
  served.send(job("jobs", "i:1;", 1));
  ASSERT_TRUE(turnUntil([&] { return kept.size() == 1; }));
  served.peer.close();
  acceptLink();
  welcomeWith(2, 1);
  served.send(job("jobs", "i:1;", 1));
  ASSERT_TRUE(turnUntil([&] { return kept.size() == 2; }));
  endJobs();
  EXPECT_EQ(reserves(), 1u);
}

}  // namespace
}  // namespace stormo::channel
