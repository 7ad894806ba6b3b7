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
  Client::EventHandler hear(const std::string& who) {
    return [this, who](const Value& data) {
      told.push_back(who + " " + std::to_string(data.asInt()));
    };
  }
  /// What was heard until now: nothing else is on its way.
  std::vector<std::string> heard() {
    bool synced = false;
    Client::on("sync", [&](const Value&) { synced = true; });
    EXPECT_EQ(Client::publish("sync", nullptr), PublishStatus::Accepted);
    EXPECT_TRUE(turnUntil([&] { return synced; }));
    Client::unsubscribe("sync");
    settle();
    return std::exchange(told, {});
  }

  std::vector<std::string> told;
};

TEST_F(ClientTest, AnEventReachesItsHandler) {
  connect();
  Client::on("news", hear("news"));
  Client::on("sport", hear("sport"));
  EXPECT_EQ(Client::publish({"sport", "news"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("sport 1", "news 1"));
}

TEST_F(ClientTest, TheLastHandlerOfAChannelCounts) {
  connect();
  Client::on("news", hear("first"));
  Client::on("news", hear("second"));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("second 1"));
}

TEST_F(ClientTest, EventsWithoutAHandlerReachOnMessage) {
  connect();
  Client::onMessage = [this](std::string_view event, const Value& data) {
    told.push_back("message " + std::string(event) + " " + std::to_string(data.asInt()));
  };
  Client::on("news", hear("news"));
  Client::subscribe({"news", "sport"});
  EXPECT_EQ(Client::publish({"news", "sport"}, 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("news 1", "message sport 1"));
}

TEST_F(ClientTest, WhatAHandlerThrowsIsCountedAndTheLinkLives) {
  connect();
  Client::on("news", [&](const Value& data) {
    hear("news")(data);
    throw std::runtime_error("on purpose");
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("news 1", "news 2"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(ClientTest, AHandlerMayUnsubscribeItselfAndSetAnother) {
  connect();
  const std::string kept(
      100, 'k');  // captured, so that a handler destroyed too early would read freed memory
  Client::on("news", [this, kept](const Value& data) {
    Client::unsubscribe("news");
    told.push_back(kept.substr(0, 1) + std::to_string(data.asInt()));
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("k1"));
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_THAT(heard(), IsEmpty());

  Client::on("news", [this, kept](const Value&) {
    Client::on("news", hear("other"));
    told.push_back(kept.substr(0, 1));
  });
  EXPECT_EQ(Client::publish("news", 3), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 4), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("k", "other 4"));
}

TEST_F(ClientTest, AHandlerMayDisconnect) {
  connect();
  const std::string kept(100, 'k');
  Client::onClose = [this] { told.push_back("close"); };
  Client::on("news", [this, kept](const Value&) {
    Client::disconnect();
    told.push_back(kept.substr(0, 1));
  });
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::publish("news", 2), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
  EXPECT_THAT(told, ElementsAre("k"));
  EXPECT_FALSE(Client::isConnected());
  connect();
}

TEST_F(ClientTest, AWatchedQueueGivesOneJobAfterTheOther) {
  connect();
  Client::watch("jobs", hear("job"));
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(Client::enqueue("jobs", i), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return told.size() == 3; }));
  EXPECT_THAT(heard(), ElementsAre("job 1", "job 2", "job 3"));
}

TEST_F(ClientTest, TheNextJobComesAlsoAfterAHandlerThatThrew) {
  connect();
  Client::watch("jobs", [this](const Value& data) {
    hear("job")(data);
    throw std::runtime_error("on purpose");
  });
  EXPECT_EQ(Client::enqueue("jobs", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return told.size() == 2; }));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(ClientTest, WithoutAutoReserveTheNextJobComesWhenAskedFor) {
  connect();
  Client::watch("jobs", hear("job"), false);
  EXPECT_EQ(Client::enqueue("jobs", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  EXPECT_THAT(heard(), IsEmpty());
  Client::reserve();
  EXPECT_THAT(heard(), ElementsAre("job 1"));
  Client::reserve();
  EXPECT_THAT(heard(), ElementsAre("job 2"));
}

TEST_F(ClientTest, AJobThatComesTooLateForUnwatchIsGivenBack) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Client::connectWorkerman("127.0.0.1", localAddress(listener.get()).port());
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Link peer{test::RawPeer(UniqueFd(::accept(listener.get(), nullptr, nullptr))), {}};
  Client::watch("red", hear("red"));
  Client::watch("blue", hear("blue"));
  Client::unwatch("red");
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 5; }));
  peer.take();
  peer.send(framed(jobPayload("red", "i:1;")));
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 2; }));
  EXPECT_THAT(peer.take(),
              ElementsAre(command(CommandType::Enqueue, {"red"}, "i:1;").substr(kFrameHeaderBytes),
                          command(CommandType::Reserve).substr(kFrameHeaderBytes)))
      << "and what it had reserved is for blue";
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(ClientTest, AJobThatArrivesWhileTheProcessStopsGoesBackToItsQueue) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Client::connectWorkerman("127.0.0.1", localAddress(listener.get()).port());
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Link peer{test::RawPeer(UniqueFd(::accept(listener.get(), nullptr, nullptr))), {}};
  Client::watch("jobs", hear("job"));
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
  ASSERT_TRUE(turnUntil([&] { return peer.received().size() == 1; }));
  EXPECT_THAT(
      peer.take(),
      ElementsAre(command(CommandType::Enqueue, {"jobs"}, "i:1;").substr(kFrameHeaderBytes)));
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(ClientTest, AProcessThatStopsTakingJobsWaitsForNothingElse) {
  for (const char* scheme : {"frame", "stormo"}) {
    Client::connect(url(scheme));
    ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
    Client::watch("jobs", hear("job"));
    settle();
    stopTakingJobs();
    EXPECT_TRUE(turnUntil([&] { return UnfinishedWork::count() == 0; })) << scheme;
    Client::disconnect();
    settle();
  }
}

TEST_F(ClientTest, AfterAReconnectEverythingIsThere) {
  connect();
  Client::onConnect = [this] { told.push_back("connect"); };
  Client::onClose = [this] { told.push_back("close"); };
  Client::on("news", hear("news"));
  Client::watch("jobs", hear("job"));
  settle();
  const std::uint16_t at = port();
  kill();
  ASSERT_TRUE(turnUntil([] { return !Client::isConnected(); }));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_EQ(Client::enqueue("jobs", 2), PublishStatus::Accepted);
  start(at);
  EXPECT_TRUE(turnUntil([&] { return told.size() == 4; }));
  EXPECT_THAT(heard(), ElementsAre("close", "connect", "news 1", "job 2"));
  EXPECT_EQ(Client::enqueue("jobs", 3), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !told.empty(); }));
  EXPECT_THAT(heard(), ElementsAre("job 3"));
}

TEST_F(ClientTest, ConnectingTwiceIsOnce) {
  connect();
  Client::connect("127.0.0.1", port());
  Client::connect(url("stormo"));
  settle();
  EXPECT_EQ(process->linkCount(), 1u);
}

TEST_F(ClientTest, AUrlChoosesTheDialectAndTheSecretIsSaid) {
  server.secret = "s3cret";
  start();
  Client::secret = "s3cret";
  Client::connect(url("stormo"));
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  Client::on("news", hear("news"));
  EXPECT_EQ(Client::publish("news", 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("news 1"));
}

TEST_F(ClientTest, AHostMayBeAName) {
  Client::connect("localhost", port());
  EXPECT_TRUE(turnUntil([] { return Client::isConnected(); }));
}

TEST_F(ClientTest, AHostMayBeAnIpv6Address) {
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
  EXPECT_THROW(Client::on("news", hear("news")), std::logic_error);
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
    EXPECT_THROW(Client::on(name, hear("x")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Client::enqueue(name, 1)), std::invalid_argument);
  }
  EXPECT_THROW(Client::subscribe(std::vector<std::string>{}), std::invalid_argument);
  Client::on(std::string(255, 'n'), hear("long"));
  EXPECT_EQ(Client::publish(std::string(255, 'n'), 1), PublishStatus::Accepted);
  EXPECT_THAT(heard(), ElementsAre("long 1"));
}

}  // namespace
}  // namespace stormo::channel
