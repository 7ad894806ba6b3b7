// Messages that members of groups receive, on any worker.
#include <gmock/gmock.h>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Received = SwarmClient::Received;

class GroupMessaging : public WithStormo {};

TEST_F(GroupMessaging, TwoClientsOnDifferentWorkersBothReceiveTheMessageOnce) {
  startStormo({"--workers", "4"});
  const auto pair = connectToDifferentWorkers(stormo, clients(), 2);
  for (const Id id : pair) {
    clients().send(id, R"({"cmd":"add_group", "group_id":"123"})");
    clients().settle({id});
  }
  clients().send(pair[0],
                 R"({"cmd":"send_to_group", "group_id":"123", "message":"Questo è un messaggio"})");
  for (const Id id : pair) clients().waitForMessages(id, 1);
  clients().settle(pair);
  for (const Id id : pair) {
    EXPECT_THAT(clients()[id].received, ElementsAre(Received{"Questo è un messaggio", false}));
  }
}

TEST_F(GroupMessaging, ASenderNeedNotBeAMemberAndThenReceivesNothing) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  const Id sender = clients().connect();
  clients().sendToGroup(sender, "123", "from outside");
  for (const Id id : members) clients().waitForMessages(id, 1);
  clients().settle({sender});
  EXPECT_THAT(clients()[members[0]].texts(), ElementsAre("from outside"));
  EXPECT_THAT(clients()[members[1]].texts(), ElementsAre("from outside"));
  EXPECT_THAT(clients()[sender].received, IsEmpty());
}

TEST_F(GroupMessaging, AMessageOverTenMegabytesArrivesWhereMessageBytesAllowsIt) {
  startStormo({"--workers", "2", "--message-bytes", "20000000", "--send-buffer-bytes", "50000000"});
  const auto members = membersOnDifferentWorkers("large");
  const std::string text(11'000'000, 'x');
  clients().sendToGroup(members[0], "large", text);
  clients().sendToGroup(members[0], "large", "and a short one");
  for (const Id id : members) {
    clients().waitForMessages(id, 2);
    EXPECT_TRUE(clients()[id].texts() == (Texts{text, "and a short one"}));
  }
}

TEST_F(GroupMessaging, AMessageReachesItsGroupAndNoOther) {
  startStormo();
  const auto all = clients().connect(3);
  clients().joinAll(all, [](std::size_t i) { return i < 2 ? "left" : "right"; });
  clients().sendToGroup(all[0], "left", "for left");
  clients().sendToGroup(all[0], "right", "for right");
  clients().settle(all);
  clients().settle(all);
  EXPECT_THAT(clients()[all[0]].texts(), ElementsAre("for left"));
  EXPECT_THAT(clients()[all[1]].texts(), ElementsAre("for left"));
  EXPECT_THAT(clients()[all[2]].texts(), ElementsAre("for right"));
}

TEST_F(GroupMessaging, AMemberOfSeveralGroupsReceivesTheirMessagesInTheOrderOfSending) {
  startStormo();
  const auto pair = connectToDifferentWorkers(stormo, clients(), 2);
  for (const char* group : {"a", "b", "c"}) clients().join(pair[1], group);
  for (int i = 0; i < 9; ++i) {
    clients().sendToGroup(pair[0], std::string(1, "abc"[i % 3]), std::to_string(i));
  }
  clients().waitForMessages(pair[1], 9);
  EXPECT_THAT(clients()[pair[1]].texts(), ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8"));
}

TEST_F(GroupMessaging, JoiningTwiceIsJoiningOnce) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  clients().join(members[1], "123");
  clients().sendToGroup(members[0], "123", "once");
  clients().waitForMessages(members[1], 1);
  clients().settle(members);
  EXPECT_THAT(clients()[members[1]].texts(), ElementsAre("once"));
}

TEST_F(GroupMessaging, AMemberThatLeftReceivesNothingAndMayJoinAgain) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  clients().command(members[1], "leave_group", "123");
  clients().command(members[1], "leave_group", "123");  // twice is once
  clients().settle({members[1]});
  clients().sendToGroup(members[0], "123", "while away");
  clients().waitForMessages(members[0], 1);
  clients().join(members[1], "123");
  clients().sendToGroup(members[0], "123", "back again");
  clients().waitForMessages(members[1], 1);
  EXPECT_THAT(clients()[members[1]].texts(), ElementsAre("back again"));
}

TEST_F(GroupMessaging, ADisconnectedMemberHasLeftItsGroups) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  clients().drop(members[1]);
  stormo.waitForStatus("one client in one group", [](const Json& report) {
    return clientsIn(report) == 1 && groupsIn(report) == 1;
  });
  clients().sendToGroup(members[0], "123", "still here");
  clients().waitForMessages(members[0], 1);
  EXPECT_THAT(clients()[members[0]].texts(), ElementsAre("still here"));
}

TEST_F(GroupMessaging, TextsWithAnyCharactersArriveUnchanged) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  const Texts texts = {"",
                       " ",
                       R"(with "quotes" and \ backslash)",
                       "two\nlines\tand a tab",
                       std::string("a zero \0 byte", 13),
                       "鳥の群れ 🐦 ñandú",
                       R"({"cmd":"add_group"})"};
  for (const std::string& text : texts) clients().sendToGroup(members[0], "123", text);
  clients().send(members[0],
                 R"({"cmd":"send_to_group","group_id":"123","message":"\u00e8\ud83d\ude00"})");
  clients().waitForMessages(members[1], texts.size() + 1);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(clients()[members[1]].received[i].data, texts[i]);
  }
  EXPECT_EQ(clients()[members[1]].received.back().data, "è😀");
}

TEST_F(GroupMessaging, TextsOfAllLengthsArriveComplete) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  const std::vector<std::size_t> lengths = {1, 125, 126, 127, 65535, 65536, 200'000, 1'000'000};
  for (const std::size_t length : lengths) {
    clients().sendToGroup(members[0], "123",
                          std::string(length, static_cast<char>('a' + length % 26)));
  }
  clients().waitForMessages(members[1], lengths.size());
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::string expected(lengths[i], static_cast<char>('a' + lengths[i] % 26));
    EXPECT_TRUE(clients()[members[1]].received[i].data == expected) << lengths[i];
  }
}

TEST_F(GroupMessaging, GroupNamesMayContainAnyCharacters) {
  startStormo();
  const auto pair = connectToDifferentWorkers(stormo, clients(), 2);
  for (const std::string& group : {std::string(" "), std::string("café ☕"), std::string("a\nb"),
                                   std::string("zero\0byte", 9), std::string(255, 'x')}) {
    clients().join(pair[1], group);
    clients().sendToGroup(pair[0], group, group);
    clients().waitForMessages(pair[1], 1);
    EXPECT_THAT(clients()[pair[1]].texts(), ElementsAre(group));
    clients().clear(pair[1]);
  }
}

}  // namespace
}  // namespace stormo::integration
