// The server's part of exactly-once delivery: acknowledgements, deduplication, replay.
#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class DeliveryTest : public ChannelTest {
 protected:
  /// Waits until `sequence` is the link's latest acknowledgement.
  [[nodiscard]] bool acknowledges(Link& link, std::uint64_t sequence) {
    return turnUntil([&] {
      link.received();
      return link.acknowledged == sequence;
    });
  }
  static std::string again(std::string_view group) { return subscribeGroup(group, true); }
  /// A Resume from the position of this event.
  static std::string resumeAfter(const std::string& payload) {
    Packet packet;
    EXPECT_EQ(decode(payload, packet), Decode::Ok);
    return resume(packet.epoch, packet.offset);
  }
  std::string lastEventOf(Link& link) {
    sync(link);
    EXPECT_FALSE(link.payloads.empty());
    return link.take().back();
  }
};

TEST_F(DeliveryTest, PublishWithoutSubscribersIsAcknowledged) {
  start();
  Link publisher = stormoLink(7);
  publisher.send(publishGroup("g", "1", 1) + publishGroup("g", "2", 2));
  EXPECT_TRUE(acknowledges(publisher, 2));
}

TEST_F(DeliveryTest, ResentPublishIsDeliveredOnce) {
  start();
  Link subscriber = stormoLink();
  subscriber.send(subscribeGroup("g"));
  sync(subscriber);
  {
    Link publisher = stormoLink(7);
    publisher.send(publishGroup("g", "1", 1) + publishGroup("g", "2", 2));
    EXPECT_TRUE(acknowledges(publisher, 2));
  }
  Link publisher = stormoLink(7);
  publisher.send(publishGroup("g", "2", 2) + publishGroup("g", "3", 3));
  EXPECT_TRUE(acknowledges(publisher, 3));
  EXPECT_THAT(receivedOn(subscriber), ElementsAre("group g: 1", "group g: 2", "group g: 3"));
}

TEST_F(DeliveryTest, SecondHelloOfAProducerClosesItsEarlierLink) {
  start();
  Link former = stormoLink(7);
  Link latter = stormoLink(7);
  EXPECT_TRUE(ended(former));
  EXPECT_THAT(receivedOn(latter), IsEmpty());
}

TEST_F(DeliveryTest, ReconnectedLinkGetsMissedEventsOfItsSubscriptionsFirst) {
  start();
  Link publisher = stormoLink();
  std::string position;
  {
    Link subscriber = stormoLink();
    subscriber.send(subscribeGroup("g") + subscribeGroup("h"));
    sync(subscriber);
    publisher.send(publishGroup("g", "before"));
    sync(publisher);
    position = resumeAfter(lastEventOf(subscriber));
  }
  settle();
  for (const char* group : {"g", "new", "h", "other"}) {
    publisher.send(publishGroup(group, "missed"));
  }
  sync(publisher);
  Link back = stormoLink();
  back.send(again("g") + again("h") + position + subscribeGroup("new"));
  sync(back);
  publisher.send(publishGroup("new", "live"));
  publisher.send(publishGroup("g", "live"));
  sync(publisher);
  // From the position on, as that event may have been the first of two. Clients drop it.
  EXPECT_THAT(receivedOn(back), ElementsAre("group g: before", "group g: missed", "group h: missed",
                                            "group new: live", "group g: live"));
}

TEST_F(DeliveryTest, EventsOutsideTheReplayWindowCauseAGap) {
  server.replayBytesMax = 1;
  start();
  Link publisher = stormoLink();
  std::string position;
  {
    Link subscriber = stormoLink();
    subscriber.send(subscribeGroup("g"));
    sync(subscriber);
    publisher.send(publishGroup("g", "before"));
    sync(publisher);
    position = resumeAfter(lastEventOf(subscriber));
  }
  for (int i = 0; i < 3; ++i) publisher.send(publishGroup("g", std::string(300'000, '.')));
  sync(publisher);
  Link back = stormoLink();
  back.send(again("g") + position);
  sync(back);
  publisher.send(publishGroup("g", "live"));
  sync(publisher);
  EXPECT_THAT(receivedOn(back), ElementsAre("gap", "group g: live"));
}

TEST_F(DeliveryTest, LinkThatHasReceivedNothingResumesWithoutAGap) {
  server.replayBytesMax = 1;
  start();
  Link publisher = stormoLink();
  for (int i = 0; i < 3; ++i) publisher.send(publishGroup("other", std::string(300'000, '.')));
  sync(publisher);
  auto link = std::make_unique<ClientLink>(url("stormo"));
  int gaps = 0;
  link->onGap = [&] { ++gaps; };
  link->dialect().subscribeGroup("g");
  link->connect();
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  EXPECT_EQ(link->dialect().position().offset, 3u);
  const std::uint16_t at = port();
  kill();
  ASSERT_TRUE(turnUntil([&] { return !link->isConnected(); }));
  start(at);
  ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
  settle();
  EXPECT_EQ(gaps, 0);
}

std::string idempotentPublish(std::uint64_t sequence, std::uint64_t sendNumber,
                              std::string_view text, PayloadKind kind = PayloadKind::Text) {
  return encode({.kind = Kind::IdempotentPublish,
                 .payloadKind = kind,
                 .space = Space::Groups,
                 .sequence = sequence,
                 .session = 99,
                 .sendNumber = sendNumber,
                 .channel = "g",
                 .payload = text});
}

TEST_F(DeliveryTest, ResendOfASessionByAnotherProducerIsDeliveredOnceAndAcknowledged) {
  start();
  Link subscriber = stormoLink();
  subscriber.send(subscribeGroup("g"));
  sync(subscriber);
  Link first = stormoLink(7);
  first.send(idempotentPublish(1, 10, "a") + idempotentPublish(2, 12, "b"));
  EXPECT_TRUE(acknowledges(first, 2));
  Link second = stormoLink(8);
  second.send(idempotentPublish(1, 12, "b") + idempotentPublish(2, 13, "c") +
              publishGroup("g", "d", 3));
  EXPECT_TRUE(acknowledges(second, 3));
  first.send(idempotentPublish(3, 13, "c"));
  EXPECT_TRUE(acknowledges(first, 3));
  EXPECT_THAT(receivedOn(subscriber),
              ElementsAre("group g: a", "group g: b", "group g: c", "group g: d"));
}

TEST_F(DeliveryTest, IdempotentPublishOfAValueIsRejected) {
  start();
  Link link = stormoLink(7);
  link.send(idempotentPublish(1, 1, "N;", PayloadKind::Value));
  EXPECT_THAT(receivedOn(link), ElementsAre(testing::StartsWith("rejected 1: ")));
}

}  // namespace
}  // namespace stormo::channel
