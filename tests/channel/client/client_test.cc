#include <stormo/channel/client.h>

#include "channel/channel_fixture.h"
#include "channel/client/client_jobs.h"
#include "event/loop_impl.h"
#include "event/process_life.h"
#include "protocol/php/serialize.h"
#include "support/temp_directory.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClientTest : public ChannelTest {
 protected:
  ClientTest() { start(); }
  ~ClientTest() override {
    Client::disconnect();
    Client::onMessage = {};
    Client::onConnect = {};
    Client::onClose = {};
    Client::secret.clear();
    settle();
  }

  void connect() {
    Client::connect("127.0.0.1", port());
    ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  }
  Client::EventHandler record(const std::string& who) {
    return [this, who](const Value& data) {
      calls.push_back(who + " " + std::to_string(data.asInt()));
    };
  }
  /// The calls so far; nothing more is on the way.
  std::vector<std::string> takeCalls() {
    bool synced = false;
    Client::on("sync", [&](const Value&) { synced = true; });
    EXPECT_EQ(Client::publish("sync", nullptr), PublishStatus::Accepted);
    EXPECT_TRUE(turnUntil([&] { return synced; }));
    Client::unsubscribe("sync");
    settle();
    return std::exchange(calls, {});
  }

  std::vector<std::string> calls;
};

TEST_F(ClientTest, EventReachesItsHandler) {
  connect();
  Client::on("news", record("news"));
  Client::on("sport", record("sport"));
  EXPECT_EQ(Client::publish({"sport", "news"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("sport 1", "news 1"));
}

TEST_F(ClientTest, LastHandlerOfAnEventIsCalled) {
  connect();
  Client::on("news", record("first"));
  Client::on("news", record("second"));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("second 1"));
}

TEST_F(ClientTest, EventsWithoutAHandlerReachOnMessage) {
  connect();
  Client::onMessage = [this](std::string_view event, const Value& data) {
    calls.push_back("message " + std::string(event) + " " + std::to_string(data.asInt()));
  };
  Client::on("news", record("news"));
  Client::subscribe({"news", "sport"});
  EXPECT_EQ(Client::publish({"news", "sport"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("news 1", "message sport 1"));
}

TEST_F(ClientTest, ExceptionInAHandlerIsCountedAndKeepsTheLink) {
  connect();
  Client::on("news", [&](const Value& data) {
    record("news")(data);
    throw std::runtime_error("on purpose");
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("news 1", "news 2"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(ClientTest, HandlerMayUnsubscribeItselfAndSetAnother) {
  connect();
  const std::string kept(
      100, 'k');  // captured, so that a handler destroyed too early would read freed memory
  Client::on("news", [this, kept](const Value& data) {
    Client::unsubscribe("news");
    calls.push_back(kept.substr(0, 1) + std::to_string(data.asInt()));
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("k1"));
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), IsEmpty());

  Client::on("news", [this, kept](const Value&) {
    Client::on("news", record("other"));
    calls.push_back(kept.substr(0, 1));
  });
  EXPECT_EQ(Client::publish("news", 3), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 4), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("k", "other 4"));
}

TEST_F(ClientTest, HandlerMayDisconnect) {
  connect();
  const std::string kept(100, 'k');
  Client::onClose = [this] { calls.push_back("close"); };
  Client::on("news", [this, kept](const Value&) {
    Client::disconnect();
    calls.push_back(kept.substr(0, 1));
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
  EXPECT_THAT(calls, ElementsAre("k"));
  EXPECT_FALSE(Client::isConnected());
  connect();
}

TEST_F(ClientTest, WatchedQueueDeliversOneJobAtATime) {
  connect();
  Client::watch("jobs", record("job"));
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(Client::enqueue("jobs", i), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return calls.size() == 3; }));
  EXPECT_THAT(takeCalls(), ElementsAre("job 1", "job 2", "job 3"));
}

TEST_F(ClientTest, NextJobArrivesAfterAHandlerThrew) {
  connect();
  Client::watch("jobs", [this](const Value& data) {
    record("job")(data);
    throw std::runtime_error("on purpose");
  });
  EXPECT_EQ(Client::enqueue("jobs", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return calls.size() == 2; }));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(ClientTest, WithoutAutoReserveEachJobIsRequested) {
  connect();
  Client::watch("jobs", record("job"), false);
  EXPECT_EQ(Client::enqueue("jobs", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), IsEmpty());
  Client::reserve();
  EXPECT_THAT(takeCalls(), ElementsAre("job 1"));
  Client::reserve();
  EXPECT_THAT(takeCalls(), ElementsAre("job 2"));
}

TEST_F(ClientTest, JobThatArrivesAfterUnwatchIsReturned) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Client::connectWorkerman("127.0.0.1", localAddress(listener.get()).port());
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Link peer{test::RawPeer(UniqueFd(::accept(listener.get(), nullptr, nullptr))), {}};
  Client::watch("red", record("red"));
  Client::watch("blue", record("blue"));
  Client::unwatch("red");
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 5; }));
  peer.take();
  peer.send(framed(jobPayload("red", "i:1;")));
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 2; }));
  EXPECT_THAT(peer.take(),
              ElementsAre(command(CommandType::Enqueue, {"red"}, "i:1;").substr(kFrameHeaderBytes),
                          command(CommandType::Reserve).substr(kFrameHeaderBytes)))
      << "and what it had reserved is for blue";
  EXPECT_THAT(calls, IsEmpty());
}

TEST_F(ClientTest, JobThatArrivesDuringStopIsReturned) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Client::connectWorkerman("127.0.0.1", localAddress(listener.get()).port());
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Link peer{test::RawPeer(UniqueFd(::accept(listener.get(), nullptr, nullptr))), {}};
  Client::watch("jobs", record("job"));
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 2; })) << "watch and reserve";
  peer.take();

  stopTakingJobs();
  Client::reserve();
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 3; }));
  const std::vector<std::string> orders = peer.take();
  EXPECT_EQ(orders[0], command(CommandType::Unwatch, {"jobs"}).substr(kFrameHeaderBytes));
  WorkermanCommand marker;
  ASSERT_EQ(decodeWorkerman(orders[2], marker), Decode::Ok);
  ASSERT_EQ(marker.type, CommandType::Publish);
  EXPECT_EQ(UnfinishedWork::count(), 1u) << "the process does not end yet";

  peer.send(framed(jobPayload("jobs", "i:1;")) +
            framed(eventPayload(marker.channels.front(), marker.data)));
  ASSERT_TRUE(turnUntil([&] { return UnfinishedWork::count() == 0; }));
  // The Reserve ends the job: this process watches nothing any more.
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 2; }));
  EXPECT_THAT(peer.take(),
              ElementsAre(command(CommandType::Enqueue, {"jobs"}, "i:1;").substr(kFrameHeaderBytes),
                          command(CommandType::Reserve).substr(kFrameHeaderBytes)));
  EXPECT_THAT(calls, IsEmpty());
}

TEST_F(ClientTest, StoppingProcessWaitsOnlyForJobs) {
  for (const char* scheme : {"frame", "stormo"}) {
    Client::connect(url(scheme));
    ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
    Client::watch("jobs", record("job"));
    settle();
    stopTakingJobs();
    EXPECT_TRUE(turnUntil([&] { return UnfinishedWork::count() == 0; })) << scheme;
    Client::disconnect();
    settle();
  }
}

TEST_F(ClientTest, ReconnectRestoresSubscriptionsAndWatches) {
  connect();
  Client::onConnect = [this] { calls.push_back("connect"); };
  Client::onClose = [this] { calls.push_back("close"); };
  Client::on("news", record("news"));
  Client::watch("jobs", record("job"));
  settle();
  const std::uint16_t at = port();
  kill();
  ASSERT_TRUE(turnUntil([] { return !Client::isConnected(); }));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  start(at);
  EXPECT_TRUE(turnUntil([&] { return calls.size() == 4; }));
  EXPECT_THAT(takeCalls(), testing::UnorderedElementsAre("close", "connect", "news 1", "job 2"));
  EXPECT_EQ(Client::enqueue("jobs", 3), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !calls.empty(); }));
  EXPECT_THAT(takeCalls(), ElementsAre("job 3"));
}

TEST_F(ClientTest, SecondConnectDoesNothing) {
  connect();
  Client::connect("127.0.0.1", port());
  Client::connect(url("stormo"));
  settle();
  EXPECT_EQ(process->linkCount(), 1u);
}

TEST_F(ClientTest, UrlSelectsTheDialectAndTheSecretIsSent) {
  server.secret = "s3cret";
  start();
  Client::secret = "s3cret";
  Client::connect(url("stormo"));
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Client::on("news", record("news"));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("news 1"));
}

TEST_F(ClientTest, HostMayBeAName) {
  Client::connect("localhost", port());
  EXPECT_TRUE(turnUntil([] { return Client::isConnected(); }));
}

TEST_F(ClientTest, HostMayBeAnIpv6Address) {
  auto listener = listenOn(*Address::ip("::1", 0));
  if (!listener) GTEST_SKIP() << "no IPv6 here";
  process->listen(listener->get());
  Client::connect("::1", localAddress(listener->get()).port());
  EXPECT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Client::disconnect();
  kill();
}

TEST_F(ClientTest, NamesAndOrderOfCallsAreChecked) {
  EXPECT_THROW(static_cast<void>(Client::publish("news", 1)), std::logic_error);
  EXPECT_THROW(Client::on("news", record("news")), std::logic_error);
  EXPECT_THROW(Client::reserve(), std::logic_error);
  EXPECT_FALSE(Client::isConnected());
  EXPECT_THROW(Client::connect("http://127.0.0.1:1"), std::invalid_argument);
  EXPECT_THROW(Client::connect("unix://relative"), std::invalid_argument);
  EXPECT_THROW(Client::connect("", 2206), std::invalid_argument);
  EXPECT_THROW(Client::connect(), std::logic_error) << "no Server is declared";
  Client::disconnect();
  connect();
  for (const std::string& name : {std::string(), std::string(256, 'n')}) {
    EXPECT_THROW(static_cast<void>(Client::publish(name, 1)), std::invalid_argument);
    EXPECT_THROW(Client::on(name, record("x")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Client::enqueue(name, 1)), std::invalid_argument);
  }
  EXPECT_THROW(Client::subscribe(std::vector<std::string>{}), std::invalid_argument);
  Client::on(std::string(255, 'n'), record("long"));
  EXPECT_EQ(Client::publish(std::string(255, 'n'), 1), PublishStatus::Accepted);
  EXPECT_THAT(takeCalls(), ElementsAre("long 1"));
}

}  // namespace
}  // namespace stormo::channel
