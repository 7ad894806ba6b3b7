// What becomes of single publishes, and what is kept for later subscribers: with a real server.
#include <stormo/audience.h>
#include <stormo/channel.h>

#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ReceiptsTest : public ChannelTest {
 protected:
  ReceiptsTest() {
    server.history.groups = {"*"};
    start();
  }

  void connect(Channel& channel) {
    channel.connect();
    ASSERT_TRUE(turnUntil([&] { return channel.isConnected(); }));
  }
  void restart() {
    const std::uint16_t at = port();
    kill();
    start(at);
  }
  Channel::ReceiptHandler keep() {
    return [this](const Result<Receipt>& receipt) { receipts.push_back(receipt); };
  }
  Receipt awaitReceipt(std::size_t count = 1) {
    EXPECT_TRUE(turnUntil([&] { return receipts.size() >= count; }));
    EXPECT_EQ(receipts.size(), count);
    if (receipts.empty() || !receipts.back().ok()) {
      ADD_FAILURE() << "no receipt";
      return {};
    }
    return receipts.back().value();
  }
  Channel::EventHandler note() {
    return [this](const Value& data) { notes.push_back(data.asInt()); };
  }

  std::vector<Result<Receipt>> receipts;
  std::vector<std::int64_t> notes;
};

TEST_F(ReceiptsTest, AReceiptHasThePositionOfTheMessage) {
  Channel channel(url("stormo"));
  std::uint64_t offset = 0;
  channel.subscribeGroup("g");
  channel.onGroupMessage = [&](const GroupMessage& message) { offset = message.offset; };
  connect(channel);
  ASSERT_EQ(channel.publishToGroup("other", "x"), PublishStatus::Accepted);
  ASSERT_EQ(channel.publishToGroup("g", "a", {.onReceipt = keep()}), PublishStatus::Accepted);
  EXPECT_THAT(receipts, IsEmpty()) << "never inside the call";
  const Receipt receipt = awaitReceipt();
  settle();
  EXPECT_NE(offset, 0u);
  EXPECT_EQ(receipt.position, (Position{channel.position().epoch, offset}));
  EXPECT_FALSE(receipt.isDuplicate);
}

TEST_F(ReceiptsTest, ADuplicateOfTheLatestSendHasItsPosition) {
  Channel one(url("stormo")), other(url("stormo"));
  connect(one);
  connect(other);
  ASSERT_EQ(one.publishToGroup("g", "a", {.send = {77, 1}, .onReceipt = keep()}),
            PublishStatus::Accepted);
  const Position first = awaitReceipt(1).position;
  ASSERT_EQ(other.publishToGroup("g", "a", {.send = {77, 1}, .onReceipt = keep()}),
            PublishStatus::Accepted);
  const Receipt second = awaitReceipt(2);
  EXPECT_TRUE(second.isDuplicate);
  EXPECT_EQ(second.position, first);
  ASSERT_EQ(one.publishToGroup("g", "b", {.send = {77, 2}, .onReceipt = keep()}),
            PublishStatus::Accepted);
  EXPECT_FALSE(awaitReceipt(3).isDuplicate);
  ASSERT_EQ(one.publishToGroup("g", "a", {.send = {77, 1}, .onReceipt = keep()}),
            PublishStatus::Accepted);
  EXPECT_TRUE(awaitReceipt(4).isDuplicate);
  EXPECT_EQ(receipts.back().value().position.offset, 0u) << "it is not the session's latest one";
}

TEST_F(ReceiptsTest, EveryPublishHasOneReceiptOverALostLink) {
  Channel channel(url("stormo"));
  connect(channel);
  const std::uint16_t at = port();
  kill();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(channel.publishToGroup("g", "a", {.onReceipt = keep()}), PublishStatus::Accepted);
  }
  start(at);
  awaitReceipt(3);
  ASSERT_EQ(receipts.size(), 3u);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(receipts[i].value().position.offset, receipts[i - 1].value().position.offset + 1);
  }
}

TEST_F(ReceiptsTest, TheReceiptOfAnEventCountsItsSubscribers) {
  Channel one(url("stormo")), other(url("stormo"));
  one.subscribe("news", note());
  other.subscribe("news", note());
  connect(one);
  connect(other);
  settle();
  ASSERT_EQ(one.publish("news", 1, keep()), PublishStatus::Accepted);
  EXPECT_EQ(awaitReceipt(1).receivers, 2u);
  ASSERT_EQ(one.publish("silent", 1, keep()), PublishStatus::Accepted);
  EXPECT_EQ(awaitReceipt(2).receivers, 0u);
}

TEST_F(ReceiptsTest, WhatIsRetainedReachesLaterSubscribersUntilItsTime) {
  Channel channel(url("stormo"));
  connect(channel);
  const auto later = system_clock::now() + 1h;
  ASSERT_EQ(channel.retain("revoked", 1, 10, later), PublishStatus::Accepted);
  ASSERT_EQ(channel.retain("revoked", 2, 20, later), PublishStatus::Accepted);
  ASSERT_EQ(channel.retain("revoked", 2, 21, later), PublishStatus::Accepted) << "replaces it";
  ASSERT_EQ(channel.retain("revoked", 3, 30, later), PublishStatus::Accepted);
  ASSERT_EQ(channel.retain("revoked", 3, 31, system_clock::now() - 1s), PublishStatus::Accepted);
  ASSERT_EQ(channel.retain("other", 1, 40, later, keep()), PublishStatus::Accepted);
  awaitReceipt();

  Channel late(url("stormo"));
  late.subscribe("revoked", note());
  connect(late);
  EXPECT_TRUE(turnUntil([&] { return notes.size() >= 2; }));
  settle();
  EXPECT_THAT(std::exchange(notes, {}), UnorderedElementsAre(10, 21));

  ASSERT_EQ(channel.retain("revoked", 4, 50, later), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !notes.empty(); }));
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre(50)) << "also an event";

  restart();
  Channel afterwards(url("stormo"));
  afterwards.subscribe("revoked", note());
  connect(afterwards);
  EXPECT_TRUE(turnUntil([&] { return notes.size() >= 3; }));
  settle();
  EXPECT_THAT(notes, UnorderedElementsAre(10, 21, 50)) << "once, to the later one alone";
}

TEST_F(ReceiptsTest, TooMuchThatIsRetainedIsRejected) {
  Channel channel(url("stormo"));
  connect(channel);
  const std::string large(6 << 20, 'x');
  for (std::uint64_t key = 1; key <= 4; ++key) {
    ASSERT_EQ(channel.retain("large", key, large, system_clock::now() + 1h, keep()),
              PublishStatus::Accepted);
    ASSERT_TRUE(turnUntil([&] { return receipts.size() == key; }));
    EXPECT_EQ(receipts.back().ok(), key <= 3) << key;
  }
}

TEST_F(ReceiptsTest, ARequestToAllHasTheRepliesOfAllSubscribers) {
  Channel asking(url("stormo")), one(url("stormo")), other(url("stormo"));
  const auto reply = [](int with) {
    return [with](const Value& data, const Channel::Responder& respond) {
      respond(data.asInt() + with);
    };
  };
  one.respond("count", reply(1));
  other.respond("count", reply(2));
  for (Channel* each : {&asking, &one, &other}) connect(*each);
  settle();
  std::vector<std::int64_t> values;
  std::optional<bool> isComplete;
  const auto onReplies = [&](const Result<Replies>& replies) {
    ASSERT_TRUE(replies.ok());
    for (const Value& value : replies.value().values) values.push_back(value.asInt());
    isComplete = replies.value().isComplete;
  };
  asking.requestAll("count", 100, 60s, onReplies);
  ASSERT_TRUE(turnUntil([&] { return isComplete.has_value(); }));
  EXPECT_TRUE(*isComplete);
  EXPECT_THAT(std::exchange(values, {}), UnorderedElementsAre(101, 102));

  isComplete.reset();
  asking.requestAll("nobody", 1, 60s, onReplies);
  ASSERT_TRUE(turnUntil([&] { return isComplete.has_value(); }));
  EXPECT_TRUE(*isComplete) << "nobody is subscribed";
  EXPECT_THAT(values, IsEmpty());

  other.respond("count", [](const Value&, const Channel::Responder&) {});
  isComplete.reset();
  asking.requestAll("count", 100, 50ms, onReplies);
  ASSERT_TRUE(turnUntil([&] { return isComplete.has_value(); }));
  EXPECT_FALSE(*isComplete);
  EXPECT_THAT(values, ElementsAre(101));
}

TEST_F(ReceiptsTest, ExceptionsAreInMessagesAndHistories) {
  Channel channel(url("stormo"));
  std::string live;
  channel.subscribeGroup("g");
  channel.onGroupMessage = [&](const GroupMessage& message) { live = message.except; };
  connect(channel);
  const std::string except = "\3one\3two";
  ASSERT_EQ(channel.publishToGroup("g", "first", {.onReceipt = keep()}), PublishStatus::Accepted);
  const Position first = awaitReceipt().position;
  ASSERT_EQ(channel.publishToGroup("g", "a", {.except = except}), PublishStatus::Accepted);
  EXPECT_TRUE(turnUntil([&] { return !live.empty(); }));
  EXPECT_EQ(live, except);
  std::vector<std::string> replayed;
  bool isReplied = false;
  channel.requestHistory("g", first, [&](const HistoryReply& reply) {
    isReplied = true;
    for (const GroupMessage& each : reply.messages) {
      replayed.push_back(std::string(each.message.data) + " " + std::string(each.except));
    }
  });
  EXPECT_TRUE(turnUntil([&] { return isReplied; }));
  EXPECT_THAT(replayed, ElementsAre("a " + except));
}

TEST_F(ReceiptsTest, AProcessSubscribesOnceForAllItsClients) {
  Channel one(url("stormo")), other(url("stormo"));
  std::vector<std::string> received;
  const std::string prefix = "AAAAAAAAAAAA";
  const Audience client = Audience::client(prefix + std::string(20, 'x'));
  const Audience ofAnother = Audience::client(std::string(32, 'B'));
  one.onGroupMessage = [&](const GroupMessage& message) { received.emplace_back(message.group); };
  one.subscribeGroup(client.channelName().substr(0, 2 + prefix.size()));
  connect(one);
  connect(other);
  settle();
  for (const Audience& each : {ofAnother, client}) {
    ASSERT_EQ(other.publishToGroup(each.channelName(), "x"), PublishStatus::Accepted);
  }
  EXPECT_TRUE(turnUntil([&] { return !received.empty(); }));
  EXPECT_THAT(received, ElementsAre(client.channelName()));
}

TEST_F(ReceiptsTest, WorkermansDialectHasNone) {
  Channel channel(url("frame"));
  connect(channel);
  EXPECT_THROW((void)channel.publish("e", 1, keep()), std::logic_error);
  EXPECT_THROW((void)channel.retain("e", 1, 1, system_clock::now()), std::logic_error);
  EXPECT_THROW((void)channel.publishToGroup("g", "x", {.onReceipt = keep()}), std::logic_error);
  EXPECT_EQ(channel.publishToGroup("g", "x", Channel::GroupPublish{}), PublishStatus::Accepted);
}

}  // namespace
}  // namespace stormo::channel
