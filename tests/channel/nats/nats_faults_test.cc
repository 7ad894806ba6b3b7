#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "channel/nats/nats_fixture.h"

namespace stormo::test {
namespace {

using channel::StreamInfo;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using NatsFaultsTest = NatsTest;

TEST_F(NatsFaultsTest, ReadingGoesOnWithoutLossOrDuplicateAfterTheServerWasKilled) {
  NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  node.sink.whenConnected = [&](const StreamInfo&) {
    node.stream.readFrom(node.sink.sequences.empty() ? 1 : node.sink.sequences.back() + 1);
  };
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 1, 500);
  ASSERT_TRUE(has(node, 500));
  server.kill();
  ASSERT_TRUE(turnUntil([&] { return !node.sink.isConnected; }));
  EXPECT_THAT(node.sink.reasons[0], HasSubstr("lost the connection to 127.0.0.1:"));
  node.stream.publish("lost", "published without a connection");
  server.start();
  ASSERT_TRUE(connects(node));
  EXPECT_EQ(node.sink.infos.back().epoch, node.sink.infos.front().epoch);
  EXPECT_EQ(node.sink.infos.back().last, 500u);
  publishNumbers(node, 500, 1000);  // the first one is a duplicate
  ASSERT_TRUE(has(node, 1000));
  EXPECT_EQ(node.sink.messages, numbers(1, 1000));
}

TEST_F(NatsFaultsTest, ServerThatStartsLaterIsFound) {
  NatsServer server(deadline);
  server.kill();
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(loses(node));
  EXPECT_THAT(node.sink.reasons,
              ElementsAre("no connection to NATS: 127.0.0.1:" + std::to_string(server.port()) +
                          ": nothing accepts connections there"));
  server.start();
  ASSERT_TRUE(connects(node));
}

TEST_F(NatsFaultsTest, FrozenServerIsNoticedAndFoundAgain) {
  NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  node.sink.whenConnected = [&](const StreamInfo&) {
    node.stream.readFrom(node.sink.sequences.empty() ? 1 : node.sink.sequences.back() + 1);
  };
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 1, 10);
  ASSERT_TRUE(has(node, 10));
  server.signal(SIGSTOP);
  ASSERT_TRUE(turnUntil([&] { return !node.sink.isConnected; }));
  server.signal(SIGCONT);
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 11, 20);
  ASSERT_TRUE(has(node, 20));
  EXPECT_EQ(node.sink.messages, numbers(1, 20));
}

TEST_F(NatsFaultsTest, StreamThatIsDeletedIsCreatedAgainWithAnotherEpoch) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  node.sink.whenConnected = [&](const StreamInfo&) { node.stream.readFrom(1); };
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 1, 3);
  ASSERT_TRUE(has(node, 3));
  EXPECT_THAT(server.request("$JS.API.STREAM.DELETE.stormo", ""), HasSubstr("\"success\":true"));
  ASSERT_TRUE(turnUntil([&] { return node.sink.infos.size() == 2; }));
  EXPECT_NE(node.sink.infos[0].epoch, node.sink.infos[1].epoch);
  EXPECT_EQ(node.sink.infos[1].last, 0u);
  publishNumbers(node, 4, 4);
  ASSERT_TRUE(has(node, 4));
  EXPECT_EQ(node.sink.sequences.back(), 1u);
}

TEST_F(NatsFaultsTest, PublishToADeletedStreamIsRefused) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  EXPECT_THAT(server.request("$JS.API.STREAM.DELETE.stormo", ""), HasSubstr("\"success\":true"));
  node.stream.publish("a", "x");
  ASSERT_TRUE(turnUntil([&] { return !node.sink.refusals.empty(); }));
  EXPECT_THAT(node.sink.refusals,
              ElementsAre("stream \"stormo\" does not store a message: the stream has no leader, "
                          "or does not exist"));
}

TEST_F(NatsFaultsTest, LameDuckServerIsLeftForAnotherOneWithoutADisconnect) {
  // The two do not know each other, so each has a stream of its own.
  const NatsServer first(deadline);
  const NatsServer second(deadline);
  Node node(settingsFor({first.url(), second.url()}));
  ASSERT_TRUE(connects(node));
  Node onFirst(settingsFor({first.url()}));
  ASSERT_TRUE(connects(onFirst));
  const bool isOnFirst = node.sink.infos[0].epoch == onFirst.sink.infos[0].epoch;
  (isOnFirst ? first : second).signal(SIGUSR2);  // lame duck mode
  ASSERT_TRUE(turnUntil([&] { return node.sink.infos.size() == 2; }));
  EXPECT_THAT(node.sink.reasons, IsEmpty());
  EXPECT_EQ(isOnFirst, node.sink.infos[1].epoch != onFirst.sink.infos[0].epoch);
  node.stream.readFrom(1);
  publishNumbers(node, 1, 3);
  ASSERT_TRUE(has(node, 3));
}

TEST_F(NatsFaultsTest, NextServerIsUsedWhenOneIsLost) {
  NatsServer first(deadline);
  NatsServer second(deadline);
  Node node(settingsFor({first.url(), second.url()}));
  ASSERT_TRUE(connects(node));
  Node onFirst(settingsFor({first.url()}));
  ASSERT_TRUE(connects(onFirst));
  const bool isOnFirst = node.sink.infos[0].epoch == onFirst.sink.infos[0].epoch;
  (isOnFirst ? first : second).kill();
  ASSERT_TRUE(turnUntil([&] { return node.sink.infos.size() == 2; }));
  EXPECT_THAT(node.sink.reasons, testing::SizeIs(1));
}

TEST_F(NatsFaultsTest, DestructionDoesNotWaitForAServerThatIsGone) {
  NatsServer server(deadline);
  server.kill();
  auto node = std::make_unique<Node>(settingsFor({server.url()}));
  ASSERT_TRUE(loses(*node));
  node.reset();
}

}  // namespace
}  // namespace stormo::test
