#include <stormo/channel.h>

#include <deque>
#include <system_error>

#include "channel/channel_fixture.h"
#include "channel/client/own_channel.h"
#include "event/process_life.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class ChannelObjectTest : public ChannelTest {
 protected:
  ChannelObjectTest() { start(); }
  ~ChannelObjectTest() override { ownChannel() = {}; }

  void connect(Channel& channel) {
    channel.connect();
    ASSERT_TRUE(turnUntil([&] { return channel.isConnected(); }));
  }
  Channel::EventHandler note(const std::string& who) {
    return [this, who](const Value& data) {
      notes.push_back(who + " " + std::to_string(data.asInt()));
    };
  }
  std::vector<std::string> awaitNotes(std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return notes.size() >= count; }));
    settle();
    return std::exchange(notes, {});
  }

  std::vector<std::string> notes;
};

TEST_F(ChannelObjectTest, SubscriptionsBeforeConnectAreSentOnConnect) {
  Channel one(url("stormo")), other(url("stormo"));
  one.subscribe({"news", "sport"}, note("one"));
  one.subscribeGroup("g");
  one.onGroupMessage = [this](const GroupMessage& message) {
    notes.push_back(std::string(message.group) + " " + std::string(message.message.data));
  };
  connect(one);
  connect(other);
  EXPECT_EQ(other.publish({"news", "sport"}, 1), PublishStatus::Accepted);
  EXPECT_EQ(other.publishToGroup("g", "ciao"), PublishStatus::Accepted);
  EXPECT_THAT(awaitNotes(3), ElementsAre("one 1", "one 1", "g ciao"));
}

TEST_F(ChannelObjectTest, WithoutAUrlItConnectsToItsProgramsChannel) {
  Channel own;
  EXPECT_THROW(own.connect(), std::logic_error);
  server.secret = "s3cret";
  start();
  ownChannel() = {.url = url("stormo"), .secret = "s3cret", .frameBytesMax = 10 << 20};
  connect(own);
}

TEST_F(ChannelObjectTest, PublishBeforeConnectThrows) {
  Channel channel(url("stormo"));
  EXPECT_THROW(static_cast<void>(channel.publish("news", 1)), std::logic_error);
  EXPECT_THROW(static_cast<void>(channel.publishToGroup("g", "x")), std::logic_error);
  EXPECT_THROW(static_cast<void>(channel.enqueue("jobs", 1)), std::logic_error);
  EXPECT_THROW(channel.request("sum", 1, 1s, {}), std::logic_error);
  EXPECT_EQ(channel.accepted(), 0u);
  EXPECT_EQ(channel.unackedBytes(), 0u);
  EXPECT_EQ(channel.position(), Position{});
  EXPECT_THROW(channel.subscribe("", note("x")), std::invalid_argument);
  EXPECT_THROW(channel.subscribeGroup(std::string(256, 'g')), std::invalid_argument);
  Channel wrong("http://127.0.0.1:1");
  EXPECT_THROW(wrong.connect(), std::invalid_argument);
}

TEST_F(ChannelObjectTest, GroupSubscriptionsAreCounted) {
  Channel channel(url("stormo"));
  connect(channel);
  channel.onGroupMessage = [this](const GroupMessage& message) {
    notes.emplace_back(message.message.data);
  };
  channel.subscribe("end", note("end"));
  const auto receivedOf = [&](const char* text) {
    EXPECT_EQ(channel.publishToGroup("g", text), PublishStatus::Accepted);
    EXPECT_EQ(channel.publish("end", 0), PublishStatus::Accepted);
    EXPECT_TRUE(turnUntil([&] { return !notes.empty() && notes.back() == "end 0"; }));
    notes.pop_back();
    return std::exchange(notes, {});
  };
  channel.subscribeGroup("g");
  channel.subscribeGroup("g");
  channel.unsubscribeGroup("g");
  EXPECT_THAT(receivedOf("one"), ElementsAre("one"));
  channel.unsubscribeGroup("g");
  channel.unsubscribeGroup("g");
  EXPECT_THAT(receivedOf("two"), IsEmpty());
}

TEST_F(ChannelObjectTest, PublishesAreAcknowledged) {
  Channel channel(url("stormo"));
  connect(channel);
  bool done = false;
  channel.onAcknowledged = [&] { done = channel.acknowledged() == 2; };
  EXPECT_EQ(channel.publishToGroup("g", "1"), PublishStatus::Accepted);
  EXPECT_EQ(channel.publish("news", 2), PublishStatus::Accepted);
  EXPECT_EQ(channel.accepted(), 2u);
  EXPECT_GT(channel.unackedBytes(), 0u);
  EXPECT_TRUE(turnUntil([&] { return done; }));
  EXPECT_EQ(channel.unackedBytes(), 0u);
}

struct NotingListener : Listener {
  explicit NotingListener(std::vector<std::string>& into) : notes(into) {}
  void onConnect() override { notes.emplace_back("listener"); }
  std::vector<std::string>& notes;
};

TEST_F(ChannelObjectTest, ListenersAreCalledBeforeTheUserHandler) {
  Channel channel(url("stormo"));
  NotingListener first(notes), removed(notes);
  channel.addListener(first);
  channel.addListener(removed);
  channel.removeListener(removed);
  channel.onConnect = [this] { notes.emplace_back("program"); };
  connect(channel);
  EXPECT_THAT(notes, ElementsAre("listener", "program"));
}

class JobTest : public ChannelObjectTest {
 protected:
  JobTest() { connect(channel); }

  void keepJobs(std::size_t atOnce) {
    channel.watch(
        "jobs", [this](Job job) { kept.push_back(std::move(job)); }, atOnce);
  }
  void enqueue(int count) {
    for (int i = 1; i <= count; ++i) {
      EXPECT_EQ(channel.enqueue("jobs", i), PublishStatus::Accepted);
    }
  }
  /// Returns when everything sent has been handled.
  void sync() {
    bool synced = false;
    channel.subscribe("sync", [&](const Value&) { synced = true; });
    EXPECT_EQ(channel.publish("sync", nullptr), PublishStatus::Accepted);
    EXPECT_TRUE(turnUntil([&] { return synced; }));
    settle();
  }
  std::vector<std::int64_t> numbers() const {
    std::vector<std::int64_t> found;
    for (const Job& job : kept) found.push_back(job.data().asInt());
    return found;
  }

  std::deque<Job> kept;
  Channel channel{url("stormo")};
};

TEST_F(JobTest, NextJobArrivesWhenTheFormerIsDone) {
  keepJobs(1);
  enqueue(3);
  sync();
  EXPECT_THAT(numbers(), ElementsAre(1)) << "one at a time";
  EXPECT_EQ(kept.front().queue(), "jobs");
  kept.front().done();
  kept.pop_front();
  sync();
  EXPECT_THAT(numbers(), ElementsAre(2));
  kept.front().done();
}

TEST_F(JobTest, SeveralJobsAreDeliveredAtOnceIfConfigured) {
  keepJobs(2);
  enqueue(3);
  sync();
  EXPECT_THAT(numbers(), ElementsAre(1, 2));
  for (Job& job : kept) job.done();
}

TEST_F(JobTest, ReturnedJobIsTheNextOneOfItsQueue) {
  keepJobs(1);
  enqueue(2);
  sync();
  kept.front().giveBack();
  kept.pop_front();
  sync();
  EXPECT_THAT(numbers(), ElementsAre(1));
  kept.front().done();
  kept.pop_front();
  sync();
  EXPECT_THAT(numbers(), ElementsAre(2));
  kept.front().done();
}

TEST_F(JobTest, UnfinishedJobIsReturnedOnDestruction) {
  keepJobs(1);
  enqueue(1);
  sync();
  kept.clear();
  sync();
  EXPECT_THAT(numbers(), ElementsAre(1)) << "once more";
  kept.front().done();
}

TEST_F(JobTest, JobWhoseHandlerThrowsIsDropped) {
  channel.watch("jobs", [this](Job job) {
    notes.push_back(std::to_string(job.data().asInt()));
    throw std::runtime_error("on purpose");
  });
  enqueue(2);
  sync();
  sync();
  EXPECT_THAT(notes, ElementsAre("1", "2"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(JobTest, ProcessWaitsForItsUnfinishedJobs) {
  keepJobs(1);
  enqueue(1);
  sync();
  ASSERT_EQ(kept.size(), 1u);
  sync();
  EXPECT_EQ(UnfinishedWork::count(), 1u);
  kept.front().done();
  EXPECT_TRUE(turnUntil([] { return UnfinishedWork::count() == 0; })) << "acknowledged as done";
}

TEST_F(JobTest, WatchBeforeConnectIsSentOnConnect) {
  Channel early(url("stormo"));
  early.watch("early", [this](Job job) {
    notes.push_back("job " + std::to_string(job.data().asInt()));
    job.done();
  });
  EXPECT_EQ(channel.enqueue("early", 1), PublishStatus::Accepted);
  EXPECT_EQ(channel.enqueue("early", 2), PublishStatus::Accepted);
  connect(early);
  EXPECT_THAT(awaitNotes(2), ElementsAre("job 1", "job 2"));
}

class RequestTest : public ChannelObjectTest {
 protected:
  RequestTest() {
    connect(asks);
    connect(answers);
  }
  Channel::ReplyHandler noteReply() {
    return [this](const Result<Value>& reply) {
      notes.push_back(reply.ok() ? std::to_string(reply.value().asInt())
                                 : reply.error().code.message());
    };
  }

  Channel asks{url("stormo")}, answers{url("stormo")};
};

TEST_F(RequestTest, RequestGetsOnlyItsReply) {
  answers.respond("double", [](const Value& data, const Channel::Responder& reply) {
    reply(Value(data.asInt() * 2));
  });
  settle();
  for (int i = 1; i <= 3; ++i) asks.request("double", i, 1h, noteReply());
  EXPECT_THAT(awaitNotes(3), ElementsAre("2", "4", "6"));
}

TEST_F(RequestTest, ReplyMayBeSentLater) {
  std::vector<Channel::Responder> open;
  answers.respond("later",
                  [&](const Value&, const Channel::Responder& reply) { open.push_back(reply); });
  settle();
  asks.request("later", 1, 1h, noteReply());
  ASSERT_TRUE(turnUntil([&] { return open.size() == 1; }));
  open.front()(Value(7));
  EXPECT_THAT(awaitNotes(1), ElementsAre("7"));
  open.front()(Value(8));
  settle();
  EXPECT_THAT(notes, IsEmpty()) << "a second reply is dropped";
}

TEST_F(RequestTest, RequestWithoutAReplyTimesOut) {
  asks.request("unwatched", 1, 1ms, noteReply());
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_THAT(awaitNotes(1), ElementsAre(std::make_error_code(std::errc::timed_out).message()));
}

TEST_F(RequestTest, TooLongRequestFailsAsynchronously) {
  asks.request("double", std::string(11 << 20, 'x'), 1h, noteReply());
  EXPECT_THAT(notes, IsEmpty()) << "not inside the call";
  EXPECT_THAT(awaitNotes(1), ElementsAre(std::make_error_code(std::errc::message_size).message()));
}

}  // namespace
}  // namespace stormo::channel
