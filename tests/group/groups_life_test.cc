// Groups, their members and their loop, destroyed in any order.
#include <memory>

#include "group/group_fixture.h"
#include "group/registry.h"

namespace stormo {
namespace {

using net::Connected;
using testing::ElementsAre;
using testing::IsEmpty;

class GroupsLifeTest : public GroupsTest {};

TEST_F(GroupsLifeTest, AClosedConnectionLeavesItsGroups) {
  for (const int way : {0, 1, 2}) {
    Connected one = member({"birds", "owls"});
    Connected two = member({"birds"});
    switch (way) {
      case 0:
        at(one).close();
        break;
      case 1:
        at(one).destroy();
        break;
      default:
        one.peer.close();
        turn();
    }
    EXPECT_EQ(groups.memberCount("birds"), 1u);
    EXPECT_EQ(groups.groupCount(), 1u);
    EXPECT_EQ(groups.send("birds", large("x")), 1u);
    at(two).destroy();
    one.peer.close();
    settle();
    EXPECT_EQ(table.size(), 0u);
  }
  EXPECT_EQ(groups.groupCount(), 0u);
  EXPECT_EQ(counters().groups.get(), 0u);
}

TEST_F(GroupsLifeTest, AClosingConnectionDoesNotJoin) {
  Connected one = acceptQuietly();
  Connection& connection = at(one);
  connection.close();
  EXPECT_FALSE(groups.join(connection, "birds"));
  EXPECT_EQ(groups.groupCount(), 0u);
}

TEST_F(GroupsLifeTest, OnCloseMaySendToTheFormerGroup) {
  Connected one = member({"birds"});
  Connected two = member({"birds"});
  endpoint.handlers.onClose = [&](Connection& connection) {
    EXPECT_FALSE(groups.isMember(connection, "birds"));
    groups.send("birds", "one has left");
    groups.send("birds", large("really"));
  };
  one.peer.close();
  settle();
  EXPECT_EQ(two.peer.take(), "one has left\n" + large("really") + '\n');
}

TEST_F(GroupsLifeTest, AGroupMayLoseItsLastMemberAndBeMadeAgainInOneTurn) {
  Connected one = member({"birds"});
  groups.send("birds", large("old"));
  groups.leave(at(one), "birds");
  Connected two = member({"birds"});
  groups.send("birds", large("new"));
  settle();
  EXPECT_EQ(one.peer.take(), large("old") + '\n');
  EXPECT_EQ(two.peer.take(), large("new") + '\n');
  EXPECT_EQ(groups.groupCount(), 1u);
}

TEST_F(GroupsLifeTest, ADestroyedMembersOutputIsDroppedAndThatOfOthersIsNot) {
  Connected one = member({"birds"});
  Connected two = member({"birds"});
  groups.send("birds", large("x"));
  at(one).destroy();
  settle();
  EXPECT_EQ(one.peer.take(), "");
  EXPECT_EQ(two.peer.take(), large("x") + '\n');
}

TEST_F(GroupsLifeTest, GroupsMayBeDestroyedWithUnflushedOutput) {
  Connected one = acceptQuietly();
  {
    Groups brief;
    brief.join(at(one), "birds");
    brief.onLastMember = [](std::string_view) { FAIL() << "nobody asked for that"; };
    brief.send("birds", large("arrives"));
    (void)at(one).send("and this");
  }
  EXPECT_EQ(counters().groups.get(), 0u);
  Groups next;
  next.join(at(one), "owls");
  next.send("owls", large("and that"));
  settle();
  EXPECT_EQ(one.peer.take(), large("arrives") + "\nand this\n" + large("and that") + '\n');
}

TEST(Groups, MayBeMadeBeforeTheirLoopAndOutliveIt) {
  Groups groups;
  const net::PackageCodec codec(Protocol::text());
  bool called = false;
  groups.onLastMember = [&](std::string_view) { called = true; };
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(groups.send("birds", "nobody there"), 0u);
    test::SocketPair pair = test::unixPair();
    {
      EventLoop loop;
      net::Endpoint endpoint;
      endpoint.codec = &codec;
      net::ConnectionImpl& connection =
          *net::ConnectionTable::of(loop).accept(std::move(pair.tested), endpoint).value();
      EXPECT_TRUE(groups.join(connection, "birds"));
      EXPECT_EQ(groups.send("birds", "in time"), 1u);
      test::settle(loop);
      EXPECT_EQ(pair.peer.take(), "in time\n");
      EXPECT_EQ(groups.send("birds", std::string(1000, 'x')), 1u);  // never leaves
    }
    EXPECT_TRUE(pair.peer.ended());
    EXPECT_EQ(groups.groupCount(), 0u);
    EXPECT_EQ(groups.memberCount("birds"), 0u);
  }
  EXPECT_FALSE(called);
}

TEST_F(GroupsLifeTest, NothingIsLeftAfterManyConnections) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Connected> all;
    for (int i = 0; i < 30; ++i) {
      all.push_back(member({std::to_string(i % 7), std::to_string(round)}));
      groups.send(std::to_string(i % 7), large("x"));
    }
    turn();
    for (Connected& each : all) each.peer.close();
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
    ASSERT_EQ(groups.groupCount(), 0u);
    ASSERT_EQ(counters().groups.get(), 0u);
  }
}

}  // namespace
}  // namespace stormo
