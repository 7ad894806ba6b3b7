#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StormoDialectServer : public ChannelTest {
 protected:
  /// The link was closed for a protocol violation, and this was the last payload.
  void expectRefused(Link& link, const std::string& lastPayload) {
    EXPECT_TRUE(ended(link));
    const auto payloads = link.take();
    EXPECT_EQ(payloads.empty() ? "" : textOf(payloads.back()), lastPayload);
    EXPECT_EQ(counters().badPeers.get(), 1u);
  }
};

TEST_F(StormoDialectServer, GroupMessageReachesOnlyTheSubscribers) {
  start();
  Link a = stormoLink(1), b = stormoLink(2), c = stormoLink(3);
  a.send(subscribeGroup("123"));
  b.send(subscribeGroup("123") + subscribeGroup("456"));
  c.send(subscribeGroup("456"));
  sync(a), sync(b), sync(c);
  c.send(publishGroup("123", "ciao"));
  sync(c);
  EXPECT_THAT(receivedOn(a), ElementsAre("group 123: ciao"));
  EXPECT_THAT(receivedOn(b), ElementsAre("group 123: ciao"));
  EXPECT_THAT(receivedOn(c), IsEmpty());
}

TEST_F(StormoDialectServer, SubscribedPublisherReceivesItsOwnMessage) {
  start();
  Link a = stormoLink();
  a.send(subscribeGroup("123") + publishGroup("123", "ciao"));
  EXPECT_THAT(receivedOn(a), ElementsAre("group 123: ciao"));
}

TEST_F(StormoDialectServer, EventCarriesEpochAndOffset) {
  start();
  Link a = stormoLink(11), b = stormoLink(22);
  a.send(subscribeGroup("g"));
  sync(a);
  b.send(publishGroup("g", "x", 5) + publishGroup("g", "\xff", 6, PayloadKind::Binary));
  ASSERT_TRUE(turnUntil([&] { return a.received().size() == 2; }));
  Packet first, second;
  ASSERT_EQ(decode(a.payloads[0], first), Decode::Ok);
  ASSERT_EQ(decode(a.payloads[1], second), Decode::Ok);
  EXPECT_NE(first.epoch, 0u);
  EXPECT_EQ(second.epoch, first.epoch);
  EXPECT_GT(second.offset, first.offset);
  EXPECT_EQ(first.payloadKind, PayloadKind::Text);
  EXPECT_EQ(second.payloadKind, PayloadKind::Binary);
}

TEST_F(StormoDialectServer, EachLogHasItsOwnEpoch) {
  const auto epoch = [this] {
    records = {};
    start();
    Link a = link();
    a.send(hello());
    EXPECT_TRUE(turnUntil([&] { return a.received().size() == 1; }));
    Packet welcome;
    EXPECT_EQ(decode(a.payloads[0], welcome), Decode::Ok);
    EXPECT_EQ(welcome.kind, Kind::Welcome);
    return welcome.epoch;
  };
  const std::uint64_t one = epoch();
  EXPECT_NE(epoch(), one);
}

TEST_F(StormoDialectServer, EventsAndGroupsAreSeparateNameSpaces) {
  start();
  Link a = stormoLink(1), b = stormoLink(2);
  a.send(subscribeGroup("news"));
  b.send(subscribeEvent("news"));
  sync(a), sync(b);
  a.send(publishEvent("news", "i:1;"));
  a.send(publishGroup("news", "ciao"));
  EXPECT_THAT(receivedOn(a), ElementsAre("group news: ciao"));
  EXPECT_THAT(receivedOn(b), ElementsAre("event news: i:1;"));
}

TEST_F(StormoDialectServer, UnsubscribedLinkReceivesNothingMore) {
  start();
  Link a = stormoLink();
  a.send(subscribeGroup("g") + subscribeEvent("e") + publishGroup("g", "1") +
         publishEvent("e", "i:1;") +
         encode({.kind = Kind::Unsubscribe, .space = Space::Groups, .channel = "g"}) +
         encode({.kind = Kind::Unsubscribe, .channel = "e"}) + publishGroup("g", "2") +
         publishEvent("e", "i:2;"));
  EXPECT_THAT(receivedOn(a), ElementsAre("group g: 1", "event e: i:1;"));
}

TEST_F(StormoDialectServer, MessagesOfManyChannelsKeepTheirOrder) {
  start();
  Link a = stormoLink(1), b = stormoLink(2);
  std::string subscriptions;
  for (int i = 0; i < 20; ++i) {
    subscriptions +=
        subscribeGroup("g" + std::to_string(i)) + subscribeEvent("e" + std::to_string(i));
  }
  a.send(subscriptions);
  sync(a);
  // Short and long ones, which are handled differently within a turn.
  std::string published;
  std::vector<std::string> expected;
  for (int i = 0; i < 500; ++i) {
    const std::string text = std::to_string(i) + std::string(i % 3 == 0 ? 2000 : 3, '.');
    const std::string name = std::to_string(i * 7 % 20);
    if (i % 2 == 0) {
      published += publishGroup("g" + name, text);
      expected.push_back("group g" + name + ": " + text);
    } else {
      const std::string data = "s:" + std::to_string(text.size()) + ":\"" + text + "\";";
      published += publishEvent("e" + name, data);
      expected.push_back("event e" + name + ": " + data);
    }
  }
  b.send(published);
  sync(b);
  EXPECT_EQ(await(a, expected.size()), expected);
}

TEST_F(StormoDialectServer, PingIsAnsweredWithPong) {
  start();
  Link a = stormoLink();
  a.send(encode({.kind = Kind::Ping}));
  EXPECT_THAT(await(a, 1), ElementsAre("pong"));
}

TEST_F(StormoDialectServer, LongHelloClosesTheLinkAtOnce) {
  start();
  Link a = link();
  a.send(std::string_view("\0\x10\0\0Q", 5));
  expectRefused(a, "");
}

TEST_F(StormoDialectServer, FramesBeforeHelloAreRefused) {
  start();
  Link a = link();
  a.send(publishGroup("g", "x"));
  expectRefused(a, "refused: the first packet must be Hello");
}

TEST_F(StormoDialectServer, OtherVersionIsRefusedWithAReason) {
  start();
  Link a = link();
  std::string frame = hello();
  frame[kFrameHeaderBytes + 4 + 7] = 1;
  a.send(frame);
  expectRefused(a, "refused: this server implements protocol version 4");
}

TEST_F(StormoDialectServer, PacketThatOnlyAServerSendsClosesTheLink) {
  start();
  const std::vector<std::string> frames = {
      hello(),
      welcome(),
      encode({.kind = Kind::Refused, .payload = "no"}),
      ack(1),
      encode({.kind = Kind::Pong}),
      encode({.kind = Kind::Event, .channel = "e", .payload = "N;"}),
      job("e", "N;"),
      encode({.kind = Kind::Gap, .epoch = 1, .offset = 1}),
  };
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Link a = stormoLink();
    a.send(frames[i]);
    EXPECT_TRUE(ended(a)) << i;
    EXPECT_EQ(counters().badPeers.get(), i + 1);
  }
}

TEST_F(StormoDialectServer, PublishWithAnInvalidPayloadIsRejectedAndKeepsTheLink) {
  start();
  const std::vector<std::string> frames = {
      publishGroup("g", "N;", 1, PayloadKind::Value),
      publishEvent("e", "N"),
      publishEvent("e", "N;N;"),
      publishEvent("e", ""),
      publishEvent("e", "O:1:\"A\":0:"),
      encode({.kind = Kind::Publish,
              .payloadKind = PayloadKind::Text,
              .channel = "e",
              .payload = "text"}),
      encode({.kind = Kind::Enqueue, .channel = "q", .payload = "N"}),
      encode({.kind = Kind::Enqueue,
              .payloadKind = PayloadKind::Text,
              .channel = "q",
              .payload = "N;"}),
  };
  Link subscriber = stormoLink();
  subscriber.send(subscribeEvent("e") + subscribeGroup("g"));
  sync(subscriber);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Link a = stormoLink();
    a.send(frames[i]);
    EXPECT_THAT(receivedOn(a), ElementsAre(testing::StartsWith("rejected "))) << i;
    EXPECT_EQ(counters().badPeers.get(), i + 1);
    a.send(publishEvent("e", "i:7;"));
    EXPECT_THAT(receivedOn(subscriber), ElementsAre("event e: i:7;")) << i;
  }
}

TEST_F(StormoDialectServer, RejectedPublishIsRejectedAgainWhenItIsResent) {
  start();
  Link a = stormoLink(7);
  a.send(publishEvent("e", "N", 1) + publishEvent("e", "N;", 2));
  EXPECT_THAT(receivedOn(a), ElementsAre(testing::StartsWith("rejected 1: ")));
  EXPECT_EQ(a.acknowledged, 2u);
  Link b = stormoLink(7);
  b.send(publishEvent("e", "N", 1) + publishEvent("e", "N;", 2));
  EXPECT_THAT(receivedOn(b), ElementsAre(testing::StartsWith("rejected 1: ")));
  EXPECT_EQ(b.acknowledged, 2u);
}

TEST_F(StormoDialectServer, WelcomeContainsTheMaximumFrameSize) {
  server.maxPackageSize = 5000;
  start();
  Link a = link();
  a.send(hello());
  ASSERT_TRUE(turnUntil([&] { return !a.received().empty(); }));
  Packet packet;
  ASSERT_EQ(decode(a.payloads[0], packet), Decode::Ok);
  EXPECT_EQ(packet.frameBytesMax, 5000u);
}

TEST_F(StormoDialectServer, ClosedLinkGetsTheSequenceAndTheReason) {
  server.maxPackageSize = 1000;
  start();
  Link tooLong = stormoLink(7);
  tooLong.send(publishGroup("g", std::string(1000, 'x'), 5));
  EXPECT_THAT(await(tooLong, 2), ElementsAre("cut at 5: a frame with an invalid length",
                                             "refused: a frame with an invalid length"));
  EXPECT_TRUE(ended(tooLong));
  Link malformed = stormoLink(8);
  std::string frame = publishGroup("g", "x", 6);
  frame[kFrameHeaderBytes + 2] = '\x7f';  // flags
  malformed.send(frame);
  EXPECT_THAT(await(malformed, 2),
              ElementsAre("cut at 6: malformed packet", "refused: malformed packet"));
  EXPECT_TRUE(ended(malformed));
}

}  // namespace
}  // namespace stormo::channel
