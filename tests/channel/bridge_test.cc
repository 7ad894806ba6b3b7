// Both dialects on one port, and the event that connects events and groups.
#include "channel/channel_fixture.h"
#include "protocol/channel/group_event.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string groupData(std::string_view group, std::string_view message) {
  std::string data;
  appendGroupEvent(group, message, data);
  return data;
}

class Bridge : public ChannelTest {
 protected:
  Bridge() { start(); }
};

TEST_F(Bridge, EventReachesSubscribersOfBothDialects) {
  Link php = workermanLink(command(CommandType::Subscribe, {"news"}));
  Link ours = stormoLink();
  ours.send(subscribeEvent("news"));
  sync(ours);

  Link phpPublisher = workermanLink(command(CommandType::Publish, {"news"}, "i:1;"));
  Link ourPublisher = stormoLink();
  ourPublisher.send(publishEvent("news", "i:2;"));
  sync(ourPublisher);
  EXPECT_THAT(receivedOn(php),
              ElementsAre(eventPayload("news", "i:1;"), eventPayload("news", "i:2;")));
  EXPECT_THAT(receivedOn(ours), ElementsAre("event news: i:1;", "event news: i:2;"));
  EXPECT_THAT(receivedOn(phpPublisher), IsEmpty());
}

TEST_F(Bridge, WorkermanGroupEventBecomesAGroupMessage) {
  Link member = stormoLink();
  member.send(subscribeGroup("123") + subscribeGroup("7"));
  sync(member);
  workermanLink(command(CommandType::Publish, {"send_to_group"}, groupData("123", "Questo è")) +
                command(CommandType::Publish, {"send_to_group"},
                        "a:2:{s:7:\"message\";a:1:{s:1:\"a\";b:1;}s:8:\"group_id\";i:7;}"));
  EXPECT_THAT(receivedOn(member), ElementsAre("group 123: Questo è", "group 7: {\"a\":true}"));
}

TEST_F(Bridge, GroupMessageBecomesAWorkermanGroupEvent) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link ours = stormoLink();
  ours.send(subscribeEvent("send_to_group"));
  sync(ours);
  Link publisher = stormoLink();
  publisher.send(publishGroup("123", "ciao") + publishGroup("123", "\xff", 2, PayloadKind::Binary));
  sync(publisher);
  EXPECT_THAT(receivedOn(php),
              ElementsAre(eventPayload("send_to_group", groupData("123", "ciao")),
                          eventPayload("send_to_group", groupData("123", "\xff"))));
  EXPECT_THAT(receivedOn(ours), ElementsAre("event send_to_group: " + groupData("123", "ciao"),
                                            "event send_to_group: " + groupData("123", "\xff")));
}

TEST_F(Bridge, EachDialectReceivesAGroupMessageOnce) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(member);
  php.send(command(CommandType::Publish, {"send_to_group"}, groupData("g", "from php")));
  sync(php);
  member.send(publishGroup("g", "from us"));
  sync(member);
  EXPECT_THAT(receivedOn(php),
              ElementsAre(eventPayload("send_to_group", groupData("g", "from php")),
                          eventPayload("send_to_group", groupData("g", "from us"))));
  EXPECT_THAT(receivedOn(member), ElementsAre("group g: from php", "group g: from us"));
}

TEST_F(Bridge, StormoPublishOfTheGroupEventReachesTheGroup) {
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(member);
  Link publisher = stormoLink();
  publisher.send(publishEvent("send_to_group", groupData("g", "ciao")));
  sync(publisher);
  EXPECT_THAT(receivedOn(member), ElementsAre("group g: ciao"));
}

TEST_F(Bridge, GroupEventWithOtherDataIsOnlyAnEvent) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(member);
  workermanLink(
      command(CommandType::Publish, {"send_to_group"}, "s:4:\"ciao\";") +
      command(CommandType::Publish, {"send_to_group"}, "a:1:{s:8:\"group_id\";s:1:\"g\";}"));
  EXPECT_THAT(receivedOn(php),
              ElementsAre(eventPayload("send_to_group", "s:4:\"ciao\";"),
                          eventPayload("send_to_group", "a:1:{s:8:\"group_id\";s:1:\"g\";}")));
  EXPECT_THAT(receivedOn(member), IsEmpty());
}

TEST_F(Bridge, TextThatIsNotUtf8ReachesTheGroupAsBinary) {
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(member);
  workermanLink(command(CommandType::Publish, {"send_to_group"}, groupData("g", "\xff\xfe")));
  ASSERT_TRUE(turnUntil([&] { return member.received().size() == 1; }));
  Packet packet;
  ASSERT_EQ(decode(member.payloads[0], packet), Decode::Ok);
  EXPECT_EQ(packet.payloadKind, PayloadKind::Binary);
  EXPECT_EQ(packet.payload, "\xff\xfe");
}

TEST_F(Bridge, GroupEventNameIsConfigurable) {
  server.groupEvent = "rooms";
  start();
  Link php = workermanLink(command(CommandType::Subscribe, {"rooms", "send_to_group"}));
  Link member = stormoLink();
  member.send(subscribeGroup("g") + publishGroup("g", "ciao"));
  sync(member);
  php.send(command(CommandType::Publish, {"send_to_group"}, groupData("g", "no")));
  EXPECT_THAT(receivedOn(php), ElementsAre(eventPayload("rooms", groupData("g", "ciao")),
                                           eventPayload("send_to_group", groupData("g", "no"))));
  EXPECT_THAT(receivedOn(member), ElementsAre("group g: ciao"));
}

TEST_F(Bridge, GroupsWorkAfterTheLastGroupEventSubscriberLeft) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link member = stormoLink();
  member.send(subscribeGroup("g") + publishGroup("g", "1"));
  sync(member);
  EXPECT_EQ(receivedOn(php).size(), 1u);
  php.send(command(CommandType::Unsubscribe, {"send_to_group"}));
  sync(php);
  member.send(publishGroup("g", "2"));
  sync(member);
  EXPECT_THAT(receivedOn(php), IsEmpty());
  php.send(command(CommandType::Subscribe, {"send_to_group"}));
  sync(php);
  member.send(publishGroup("g", "3"));
  sync(member);
  EXPECT_THAT(receivedOn(php), ElementsAre(eventPayload("send_to_group", groupData("g", "3"))));
  EXPECT_THAT(receivedOn(member), ElementsAre("group g: 1", "group g: 2", "group g: 3"));
}

// All subscribers receive the messages in the same order.
TEST_F(Bridge, AllSubscribersReceiveTheSameOrder) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link ours = stormoLink();
  ours.send(subscribeEvent("send_to_group"));
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(ours), sync(member);

  Link phpPublisher = workermanLink();
  Link ourPublisher = stormoLink();
  for (int i = 0; i < 200; ++i) {
    const std::string filler(i % 5 == 0 ? 1500 : 1, '.');
    phpPublisher.send(command(CommandType::Publish, {"send_to_group"},
                              groupData("g", "php " + std::to_string(i) + filler)));
    ourPublisher.send(publishGroup("g", "us " + std::to_string(i) + filler));
    if (i % 10 == 0) turn();
  }
  sync(phpPublisher), sync(ourPublisher);
  std::vector<std::string> messages = receivedOn(member);
  ASSERT_EQ(messages.size(), 400u);
  std::vector<std::string> ofPhp, ofOurs;
  for (std::string& message : messages) {
    message.erase(0, std::string_view("group g: ").size());
    ofPhp.push_back(eventPayload("send_to_group", groupData("g", message)));
    ofOurs.push_back("event send_to_group: " + groupData("g", message));
  }
  EXPECT_EQ(receivedOn(php), ofPhp);
  EXPECT_EQ(receivedOn(ours), ofOurs);
}

}  // namespace
}  // namespace stormo::channel
