// History requests: over bare links, and by a link.
#include <numeric>
#include <stdexcept>

#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HistoryRequestTest : public ChannelTest {
 protected:
  HistoryRequestTest() {
    server.history.groups = {"kept*"};
    server.history.messagesMax = 3;
  }
  static std::string requestHistory(std::string_view group, std::uint64_t epoch,
                                    std::uint64_t offset) {
    return encode({.kind = Kind::HistoryRequest,
                   .space = Space::Groups,
                   .epoch = epoch,
                   .offset = offset,
                   .channel = group});
  }
  /// Sends a history request, and returns the reply, which is the only payload.
  Packet ask(Link& link, std::string_view group, std::uint64_t epoch, std::uint64_t offset) {
    link.send(requestHistory(group, epoch, offset));
    sync(link);
    EXPECT_EQ(link.payloads.size(), 1u);
    answer = link.take().back();
    Packet packet;
    EXPECT_EQ(decode(answer, packet), Decode::Ok);
    EXPECT_EQ(packet.kind, Kind::HistoryReply);
    EXPECT_EQ(packet.channel, group);
    return packet;
  }
  /// Publishes so many messages to a group that nobody asks for.
  static void beBusy(Link& link, int messages) {
    for (int i = 0; i < messages; ++i) link.send(publishGroup("busy", "x"));
  }
  /// The events of a reply as texts.
  static std::vector<std::string> textsOfReply(const Packet& reply) {
    std::string frames(reply.payload);
    return textsOf(takeFrames(frames));
  }

  std::string answer;
};

TEST_F(HistoryRequestTest, ReplyContainsMessagesSinceAPosition) {
  start();
  Link link = stormoLink();
  const Packet begin = ask(link, "kept", 0, 0);
  EXPECT_EQ(begin.offset, 0u);
  EXPECT_FALSE(begin.whole);
  EXPECT_NE(begin.epoch, 0u);
  const std::uint64_t epoch = begin.epoch;
  link.send(publishGroup("kept", "1") + publishGroup("other", "2") + publishGroup("kept", "3"));

  const Packet all = ask(link, "kept", epoch, 0);
  EXPECT_TRUE(all.whole);
  EXPECT_EQ(all.epoch, epoch);
  EXPECT_EQ(all.offset, 3u);
  EXPECT_THAT(textsOfReply(all), ElementsAre("group kept: 1", "group kept: 3"));
  EXPECT_THAT(textsOfReply(ask(link, "kept", epoch, 1)), ElementsAre("group kept: 3"));
  const Packet none = ask(link, "kept", epoch, 3);
  EXPECT_TRUE(none.whole);
  EXPECT_THAT(textsOfReply(none), IsEmpty());
}

TEST_F(HistoryRequestTest, ReplyStatesWhenMessagesAreMissing) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "kept", 0, 0).epoch;
  for (const char* text : {"1", "2", "3", "4", "5"}) link.send(publishGroup("kept", text));
  beBusy(link, 1000);
  const Packet late = ask(link, "kept", epoch, 1);
  EXPECT_FALSE(late.whole);
  EXPECT_EQ(late.offset, 1005u);
  EXPECT_THAT(textsOfReply(late), IsEmpty());
  EXPECT_TRUE(ask(link, "kept", epoch, 2).whole);
  EXPECT_FALSE(ask(link, "kept", epoch + 1, 2).whole) << "another epoch";
}

TEST_F(HistoryRequestTest, MessagesOfAGroupWithoutHistoryAreInTheReplayWindow) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "other", 0, 0).epoch;
  link.send(publishGroup("other", "1") + publishGroup("kept", "2") + publishGroup("other", "3") +
            publishGroup("other", "4"));
  link.send(publishEvent("other", "N;"));  // an event of the same name is different
  const Packet reply = ask(link, "other", epoch, 1);
  EXPECT_TRUE(reply.whole);
  EXPECT_THAT(textsOfReply(reply), ElementsAre("group other: 3", "group other: 4"));
  EXPECT_FALSE(ask(link, "other", epoch, 0).whole) << "from the beginning only a history has them";
  EXPECT_TRUE(ask(link, "silent", epoch, 0).whole);

  beBusy(link, 998);
  EXPECT_THAT(textsOfReply(ask(link, "other", epoch, 3)), ElementsAre("group other: 4"));
  const Packet late = ask(link, "other", epoch, 2);
  EXPECT_FALSE(late.whole) << "beyond its search limit";
  EXPECT_THAT(textsOfReply(late), IsEmpty());
  const Packet silent = ask(link, "other", epoch, 4);
  EXPECT_TRUE(silent.whole);
  EXPECT_EQ(silent.offset, 1003u);
  EXPECT_THAT(textsOfReply(silent), IsEmpty());
}

TEST_F(HistoryRequestTest, AReplyFromTheReplayWindowHasALimit) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "other", 0, 0).epoch;
  const std::string half(500'000, 'x');
  link.send(publishGroup("other", "1") + publishGroup("other", half) + publishGroup("other", half));
  EXPECT_TRUE(ask(link, "other", epoch, 1).whole);
  link.send(publishGroup("other", half));
  EXPECT_FALSE(ask(link, "other", epoch, 1).whole);
  EXPECT_TRUE(ask(link, "other", epoch, 2).whole);
}

TEST_F(HistoryRequestTest, ReplyIsOrderedWithTheEventsOfTheLink) {
  start();
  Link subscriber = stormoLink();
  const std::uint64_t epoch = ask(subscriber, "kept", 0, 0).epoch;
  Link publisher = stormoLink();
  subscriber.send(subscribeGroup("kept"));
  sync(subscriber);
  // Everything in one turn.
  subscriber.send(publishGroup("kept", "1") + requestHistory("kept", epoch, 0) +
                  publishGroup("kept", "2") + requestHistory("kept", epoch, 0) +
                  publishGroup("kept", "3"));
  sync(subscriber);
  std::vector<std::string> order;
  for (const std::string& payload : subscriber.take()) {
    Packet packet;
    ASSERT_EQ(decode(payload, packet), Decode::Ok);
    order.push_back(packet.kind == Kind::HistoryReply
                        ? "answer of " + std::to_string(textsOfReply(packet).size())
                        : std::string(packet.payload));
  }
  EXPECT_THAT(order, ElementsAre("1", "answer of 1", "2", "answer of 2", "3"));
}

TEST_F(HistoryRequestTest, ClientLinkReturnsTheReplyWithItsMessages) {
  start();
  auto link = std::make_unique<ClientLink>(url("stormo"));
  link->connect();
  link->dialect().subscribeGroup("kept");
  std::vector<std::string> calls;
  link->onGroupMessage = [&](const GroupMessage& message) {
    calls.push_back(std::to_string(message.offset) + " " + std::string(message.message.data));
  };
  const auto recordReply = [&](const HistoryReply& reply) {
    for (const GroupMessage& message : reply.messages) {
      calls.push_back("again " + std::to_string(message.offset) + " " + std::string(message.group) +
                      " " + std::string(message.message.data) +
                      (message.message.isBinary() ? " (binary)" : ""));
    }
    calls.push_back((reply.isWhole ? "whole to " : "up to ") +
                    std::to_string(reply.position.offset));
  };
  link->dialect().requestHistory("kept", {}, recordReply);
  ASSERT_TRUE(turnUntil([&] { return !calls.empty(); }));
  const std::uint64_t epoch = link->dialect().position().epoch;
  EXPECT_NE(epoch, 0u);
  EXPECT_EQ(link->dialect().publishToGroup("kept", "a", {}), PublishStatus::Accepted);
  EXPECT_EQ(link->dialect().publishToGroup("kept", binary("\xff"), {}), PublishStatus::Accepted);
  link->dialect().requestHistory("kept", {epoch, 0}, recordReply);
  EXPECT_EQ(link->dialect().publishToGroup("kept", "c", {}), PublishStatus::Accepted);
  ASSERT_TRUE(turnUntil([&] { return calls.size() >= 7; }));
  EXPECT_THAT(calls, ElementsAre("up to 0", "1 a", "2 \xff", "again 1 kept a",
                                 "again 2 kept \xff (binary)", "whole to 2", "3 c"));
  EXPECT_EQ(link->dialect().position(), (Position{epoch, 3}));
}

TEST_F(HistoryRequestTest, ClientLinkRepeatsRequestsOnANewLinkAndReturnsEachReplyOnce) {
  start();
  const std::uint16_t at = port();
  auto link = std::make_unique<ClientLink>(url("stormo"));
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  kill();
  std::vector<int> answered;
  for (int i = 0; i < 40; ++i) {  // more than are requested at once
    link->dialect().requestHistory("kept", {},
                                   [&answered, i](const HistoryReply&) { answered.push_back(i); });
  }
  ASSERT_TRUE(turnUntil([&] { return !link->isConnected(); }));
  start(at);
  ASSERT_TRUE(turnUntil([&] { return answered.size() >= 40; }));
  settle();
  std::vector<int> inOrder(40);
  std::iota(inOrder.begin(), inOrder.end(), 0);
  EXPECT_EQ(answered, inOrder);
}

TEST_F(HistoryRequestTest, ExceptionInAHistoryHandlerIsCountedAndKeepsTheLink) {
  start();
  auto link = std::make_unique<ClientLink>(url("stormo"));
  link->connect();
  int answers = 0;
  for (int i = 0; i < 2; ++i) {
    link->dialect().requestHistory("kept", {}, [&](const HistoryReply&) {
      ++answers;
      throw std::runtime_error("on purpose");
    });
  }
  EXPECT_TRUE(turnUntil([&] { return answers == 2; }));
  EXPECT_TRUE(link->isConnected());
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(HistoryRequestTest, WorkermanDialectRepliesAtOnceWithoutHistory) {
  start();
  auto link = std::make_unique<ClientLink>(url("frame"));
  bool isWhole = true;
  link->dialect().requestHistory("kept", {1, 2},
                                 [&](const HistoryReply& reply) { isWhole = reply.isWhole; });
  EXPECT_FALSE(isWhole);
  EXPECT_EQ(link->dialect().position(), Position{});
}

/// Servers that go on from one log, each after the last one was killed.
class ServerRestartTest : public HistoryRequestTest {
 protected:
  void succeed(Link& link) {
    const std::uint16_t at = port();
    kill();
    link = {};
    start(at);
  }
};

TEST_F(ServerRestartTest, RestartKeepsEpochOffsetsAndHistory) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "kept", 0, 0).epoch;
  for (const char* text : {"1", "2", "3", "4"}) link.send(publishGroup("kept", text));
  sync(link);
  succeed(link);
  link = stormoLink();
  const Packet reply = ask(link, "kept", epoch, 2);
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.epoch, epoch);
  EXPECT_EQ(reply.offset, 4u);
  EXPECT_THAT(textsOfReply(reply), ElementsAre("group kept: 3", "group kept: 4"));
  beBusy(link, 1000);
  EXPECT_FALSE(ask(link, "kept", epoch, 0).whole);
  link.send(publishGroup("kept", "5"));
  EXPECT_THAT(textsOfReply(ask(link, "kept", epoch, 4)), ElementsAre("group kept: 5"));
}

TEST_F(ServerRestartTest, DropsDuplicatesOfProducersAndSessionsAfterARestart) {
  start();
  const auto once = [](std::uint64_t sequence, std::uint64_t sendNumber) {
    return encode({.kind = Kind::IdempotentPublish,
                   .payloadKind = PayloadKind::Text,
                   .space = Space::Groups,
                   .sequence = sequence,
                   .session = 99,
                   .sendNumber = sendNumber,
                   .channel = "kept",
                   .payload = "once"});
  };
  Link link = stormoLink(7);
  const std::uint64_t epoch = ask(link, "kept", 0, 0).epoch;
  link.send(publishGroup("kept", "a", 1) + once(2, 50));
  sync(link);
  succeed(link);
  link = stormoLink(7);
  link.send(publishGroup("kept", "a", 1) + once(2, 50) + once(3, 50));
  EXPECT_THAT(textsOfReply(ask(link, "kept", epoch, 0)),
              ElementsAre("group kept: a", "group kept: once"));
}

TEST_F(ServerRestartTest, RestartReplaysMissedEvents) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "other", 0, 0).epoch;
  for (const char* text : {"1", "2", "3"}) link.send(publishGroup("other", text));
  sync(link);
  succeed(link);
  link = stormoLink();
  link.send(subscribeGroup("other", true) + resume(epoch, 1));
  EXPECT_THAT(receivedOn(link), ElementsAre("group other: 1", "group other: 2", "group other: 3"));
}

TEST_F(ServerRestartTest, PositionThatTheLogHasNotGivenIsAGap) {
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "kept", 0, 0).epoch;
  link.send(publishGroup("kept", "1"));
  sync(link);
  EXPECT_FALSE(ask(link, "kept", epoch, 2).whole) << "after the latest event";
  EXPECT_TRUE(ask(link, "kept", epoch, 1).whole);
  link.send(subscribeGroup("kept", true) + resume(epoch, 2));
  EXPECT_THAT(receivedOn(link), ElementsAre("gap"));
  Link other = stormoLink();
  other.send(subscribeGroup("kept", true) + resume(epoch + 1, 1));
  EXPECT_THAT(receivedOn(other), ElementsAre("gap"));
}

TEST_F(ServerRestartTest, RestartAppliesTheNewHistoryLimits) {
  server.history.groups = {"*"};
  start();
  Link link = stormoLink();
  const std::uint64_t epoch = ask(link, "kept", 0, 0).epoch;
  for (const char* text : {"1", "2", "3"}) {
    link.send(publishGroup("kept", text) + publishGroup("other", text));
  }
  sync(link);
  server.history.groups = {"kept"};
  server.history.messagesMax = 1;
  succeed(link);
  link = stormoLink();
  beBusy(link, 1000);
  EXPECT_FALSE(ask(link, "kept", epoch, 2).whole);
  EXPECT_THAT(textsOfReply(ask(link, "kept", epoch, 4)), ElementsAre("group kept: 3"));
  EXPECT_FALSE(ask(link, "other", epoch, 2).whole);
}

}  // namespace
}  // namespace stormo::channel
