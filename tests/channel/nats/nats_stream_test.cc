#include "channel/nats/nats_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "channel/nats/nats_fixture.h"

namespace stormo::test {
namespace {

using channel::StreamInfo;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::vector<std::uint64_t> sequences(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

using NatsStreamTest = NatsTest;

TEST_F(NatsStreamTest, NewStreamIsEmptyAndHasAnEpoch) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  EXPECT_THAT(node.sink.reasons, IsEmpty());
  const StreamInfo& info = node.sink.infos[0];
  EXPECT_NE(info.epoch, 0u);
  EXPECT_EQ(info.first, 1u);
  EXPECT_EQ(info.last, 0u);
  EXPECT_EQ(info.messageBytesMax, (1u << 20) - 1024);
}

TEST_F(NatsStreamTest, MessagesAreReadInTheOrderOfPublishing) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  constexpr int kCount = 10'000;
  node.stream.readFrom(1);
  publishNumbers(node, 1, kCount);
  ASSERT_TRUE(has(node, kCount));
  EXPECT_EQ(node.sink.messages, numbers(1, kCount));
  EXPECT_EQ(node.sink.sequences, sequences(1, kCount));
  EXPECT_THAT(node.sink.refusals, IsEmpty());
}

TEST_F(NatsStreamTest, ReadingBeginsAtTheSequenceAndALaterCallReplacesIt) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 1, 100);
  node.stream.readFrom(1);
  node.stream.readFrom(41);
  ASSERT_TRUE(has(node, 60));
  EXPECT_EQ(node.sink.sequences, sequences(41, 100));
  EXPECT_EQ(node.sink.messages, numbers(41, 100));
}

TEST_F(NatsStreamTest, ReadingBehindTheEndWaitsForTheNextMessage) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  publishNumbers(node, 1, 3);
  node.stream.readFrom(1);
  ASSERT_TRUE(has(node, 3));
  node.stream.readFrom(4);
  publishNumbers(node, 4, 4);
  ASSERT_TRUE(has(node, 4));
  EXPECT_EQ(node.sink.messages, numbers(1, 4));
}

TEST_F(NatsStreamTest, DuplicateIdIsStoredOnce) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  node.stream.readFrom(1);
  node.stream.publish("a", "first");
  node.stream.publish("a", "again");
  node.stream.publish("b", "second");
  ASSERT_TRUE(has(node, 2));
  EXPECT_THAT(node.sink.messages, ElementsAre("first", "second"));
  EXPECT_THAT(node.sink.refusals, IsEmpty());
}

TEST_F(NatsStreamTest, LongestMessageAndEmptyMessageArrive) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  const std::string longest(node.sink.infos[0].messageBytesMax, 'x');
  node.stream.readFrom(1);
  node.stream.publish(std::string(200, 'i'), longest);
  node.stream.publish("empty", "");
  ASSERT_TRUE(has(node, 2));
  EXPECT_TRUE(node.sink.messages[0] == longest);
  EXPECT_EQ(node.sink.messages[1], "");
}

TEST_F(NatsStreamTest, MessageAboveMaxPayloadIsRefused) {
  const NatsServer server(deadline);
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  node.stream.publish("a", std::string(2 << 20, 'x'));
  ASSERT_TRUE(turnUntil([&] { return !node.sink.refusals.empty(); }));
  EXPECT_THAT(node.sink.refusals,
              ElementsAre("a message is longer than max_payload of the NATS server"));
}

TEST_F(NatsStreamTest, MoreThanTheFlowControlWindowArrivesWhole) {
  const NatsServer server(deadline, "jetstream { max_mem: 256MB, max_file: 1GB }\n");
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  constexpr int kCount = 800;  // 80 MB; JetStream sends 32 MiB at most without an answer
  const std::string body(100'000, 'x');
  for (int i = 0; i < kCount; ++i) node.stream.publish(std::to_string(i), body);
  Node reader(settingsFor({server.url()}));
  ASSERT_TRUE(connects(reader));
  reader.sink.whenMessage = [&](std::uint64_t) { reader.sink.messages.back().resize(1); };
  reader.stream.readFrom(1);
  ASSERT_TRUE(has(reader, kCount));
  EXPECT_EQ(reader.sink.sequences, sequences(1, kCount));
}

TEST_F(NatsStreamTest, TwoNodesReadTheSameOrder) {
  const NatsServer server(deadline);
  Node first(settingsFor({server.url()}));
  Node second(settingsFor({server.url()}));
  ASSERT_TRUE(connects(first) && connects(second));
  EXPECT_EQ(first.sink.infos[0].epoch, second.sink.infos[0].epoch);
  first.stream.readFrom(1);
  second.stream.readFrom(1);
  constexpr int kEach = 1000;
  for (int i = 0; i < kEach; ++i) {
    first.stream.publish("first-" + std::to_string(i), "first");
    second.stream.publish("second-" + std::to_string(i), "second");
    if (i % 50 == 0) turn();
  }
  ASSERT_TRUE(has(first, 2 * kEach) && has(second, 2 * kEach));
  EXPECT_EQ(first.sink.messages, second.sink.messages);
  EXPECT_EQ(first.sink.sequences, second.sink.sequences);
}

TEST_F(NatsStreamTest, QuestionReachesAllNodesAndAnswersTheAskerOnly) {
  const NatsServer server(deadline);
  Node asker(settingsFor({server.url()}));
  Node other(settingsFor({server.url()}));
  ASSERT_TRUE(connects(asker) && connects(other));
  asker.stream.ask("who is there?");
  ASSERT_TRUE(
      turnUntil([&] { return !asker.sink.questions.empty() && !other.sink.questions.empty(); }));
  EXPECT_THAT(other.sink.questions, ElementsAre(Pair(testing::_, "who is there?")));
  const std::string large(other.sink.infos[0].messageBytesMax, 'y');
  other.stream.answer(other.sink.questions[0].first, large);
  asker.stream.answer(asker.sink.questions[0].first, "me");
  ASSERT_TRUE(turnUntil([&] { return asker.sink.answers.size() == 2; }));
  EXPECT_THAT(asker.sink.answers, testing::UnorderedElementsAre("me", large));
  EXPECT_THAT(other.sink.answers, IsEmpty());
}

TEST_F(NatsStreamTest, SinkMayDestroyTheStreamInACallback) {
  const NatsServer server(deadline);
  RecordingSink sink;
  auto stream = std::make_unique<channel::NatsStream>(settingsFor({server.url()}));
  stream->open(sink);
  sink.whenMessage = [&](std::uint64_t) { stream.reset(); };
  ASSERT_TRUE(turnUntil([&] { return sink.isConnected; }));
  for (int i = 0; i < 100; ++i) stream->publish(std::to_string(i), "x");
  stream->readFrom(1);
  ASSERT_TRUE(turnUntil([&] { return stream == nullptr; }));
  settle();
  EXPECT_THAT(sink.messages, SizeIs(1));
}

TEST_F(NatsStreamTest, DestructionSendsWhatWasPublished) {
  const NatsServer server(deadline);
  {
    Node node(settingsFor({server.url()}));
    ASSERT_TRUE(connects(node));
    publishNumbers(node, 1, 1000);
  }
  Node node(settingsFor({server.url()}));
  ASSERT_TRUE(connects(node));
  node.stream.readFrom(1);
  ASSERT_TRUE(has(node, 1000));
  EXPECT_EQ(node.sink.messages, numbers(1, 1000));
}

TEST_F(NatsStreamTest, RemovedMessagesAreAHoleAndShowInTheInfo) {
  const NatsServer server(deadline);
  auto settings = settingsFor({server.url()});
  settings.maxBytes = 100'000;
  Node node(settings);
  ASSERT_TRUE(connects(node));
  const std::string body(10'000, 'x');
  for (int i = 1; i <= 50; ++i) node.stream.publish(std::to_string(i), body);
  node.stream.readFrom(50);
  ASSERT_TRUE(has(node, 1));
  Node late(settings);
  ASSERT_TRUE(connects(late));
  const StreamInfo info = late.sink.infos[0];
  EXPECT_EQ(info.last, 50u);
  EXPECT_GT(info.first, 30u);
  late.stream.readFrom(2);
  ASSERT_TRUE(turnUntil([&] { return late.sink.sequences.size() == 50 - info.first + 1; }));
  EXPECT_EQ(late.sink.sequences, sequences(info.first, 50));
}

}  // namespace
}  // namespace stormo::test
