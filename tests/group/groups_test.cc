#include <algorithm>

#include "group/group_fixture.h"

namespace stormo {
namespace {

using net::Connected;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(GroupsTest, AGroupExistsWhileItHasMembers) {
  Connected one = acceptQuietly();
  Connected two = acceptQuietly();
  EXPECT_EQ(groups.groupCount(), 0u);
  EXPECT_TRUE(groups.join(at(one), "birds"));
  EXPECT_TRUE(groups.join(at(two), "birds"));
  EXPECT_TRUE(groups.join(at(two), "owls"));
  EXPECT_EQ(groups.groupCount(), 2u);
  EXPECT_EQ(counters().groups.get(), 2u);
  EXPECT_EQ(groups.memberCount("birds"), 2u);
  EXPECT_EQ(groups.groupCount(at(two)), 2u);
  EXPECT_TRUE(groups.isMember(at(one), "birds"));
  EXPECT_FALSE(groups.isMember(at(one), "owls"));
  EXPECT_FALSE(groups.isMember(at(one), "nobody's"));

  EXPECT_TRUE(groups.leave(at(two), "owls"));
  EXPECT_EQ(groups.groupCount(), 1u);
  EXPECT_EQ(groups.memberCount("owls"), 0u);
  EXPECT_EQ(counters().groups.get(), 1u);
}

TEST_F(GroupsTest, JoiningTwiceAndLeavingWithoutMembershipReturnFalse) {
  Connected one = acceptQuietly();
  EXPECT_FALSE(groups.leave(at(one), "birds"));
  EXPECT_TRUE(groups.join(at(one), "birds"));
  EXPECT_FALSE(groups.join(at(one), "birds"));
  EXPECT_EQ(groups.memberCount("birds"), 1u);
  EXPECT_TRUE(groups.leave(at(one), "birds"));
  EXPECT_FALSE(groups.leave(at(one), "birds"));
}

TEST_F(GroupsTest, AMessageReachesEachMemberOnce) {
  Connected one = member({"birds"});
  Connected two = member({"birds", "owls"});
  Connected other = member({"owls"});
  EXPECT_EQ(groups.send("birds", "small"), 2u);
  EXPECT_EQ(groups.send("birds", large("large")), 2u);
  turn();
  for (Connected* each : {&one, &two}) {
    EXPECT_EQ(each->peer.take(), "small\n" + large("large") + '\n');
  }
  EXPECT_EQ(other.peer.take(), "");
  EXPECT_EQ(counters().messagesOut.get(), 4u);
  EXPECT_EQ(counters().sendCalls.get(), 2u);
}

TEST_F(GroupsTest, SendToAnUnknownGroupSendsNothing) {
  EXPECT_EQ(groups.send("nobody's", "x"), 0u);
  member({"birds"});
  EXPECT_EQ(groups.send("nobody's", "x"), 0u);
  EXPECT_EQ(counters().messagesOut.get(), 0u);
}

TEST_F(GroupsTest, SendExceptExcludesOneMemberAndCountsTheOthers) {
  for (const bool isLarge : {false, true}) {
    const std::string text = isLarge ? large("x") : "x";
    Connected one = member({"birds"});
    Connected two = member({"birds"});
    Connected nonMember = acceptQuietly();
    const auto before = counters().messagesOut.get();
    EXPECT_EQ(groups.sendExcept("birds", text, at(one)), 1u);
    EXPECT_EQ(groups.sendExcept("birds", text, at(nonMember)), 2u);
    EXPECT_EQ(counters().messagesOut.get(), before + 3);
    turn();
    EXPECT_EQ(one.peer.take(), text + '\n');
    EXPECT_EQ(two.peer.take(), text + '\n' + text + '\n');
    for (Connected* each : {&one, &two}) at(*each).destroy();
    turn();
  }
}

TEST_F(GroupsTest, SendExceptExcludesSeveralMembers) {
  for (const bool isLarge : {false, true}) {
    const std::string text = isLarge ? large("x") : "x";
    Connected one = member({"birds"});
    Connected two = member({"birds"});
    Connected three = member({"birds", "owls"});
    Connected nonMember = acceptQuietly();
    Connection* const except[] = {&at(one), &at(three), &at(one), &at(nonMember)};
    const auto before = counters().messagesOut.get();
    groups.send("birds", "first");
    groups.send("owls", "other");
    EXPECT_EQ(groups.sendExcept("birds", text, except), 1u);
    groups.send("birds", "last");
    EXPECT_EQ(counters().messagesOut.get(), before + 8);
    turn();
    EXPECT_EQ(one.peer.take(), "first\nlast\n");
    EXPECT_EQ(two.peer.take(), "first\n" + text + "\nlast\n");
    EXPECT_EQ(three.peer.take(), "first\nother\nlast\n");
    for (Connected* each : {&one, &two, &three}) at(*each).destroy();
    turn();
  }
}

TEST_F(GroupsTest, ListsGroupsAndThoseOfAConnection) {
  Connected one = member({"birds", "owls"});
  Connected two = member({"birds"});
  std::vector<std::string> all;
  groups.forEachGroup([&](std::string_view name, std::size_t members) {
    all.push_back(std::string(name) + '=' + std::to_string(members));
  });
  EXPECT_THAT(all, testing::UnorderedElementsAre("birds=2", "owls=1"));
  EXPECT_THAT(groups.groupsOf(at(one)), testing::UnorderedElementsAre("birds", "owls"));
  EXPECT_THAT(groups.groupsOf(at(two)), ElementsAre("birds"));
}

TEST_F(GroupsTest, EachMemberMayBeExcludedFromItsOwnMessage) {
  std::vector<Connected> all;
  for (int i = 0; i < 20; ++i) all.push_back(member({"birds"}));
  for (std::size_t i = 0; i < all.size(); ++i) {
    groups.sendExcept("birds", large(std::to_string(i)), at(all[i]));
  }
  turn();
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string expected;
    for (std::size_t from = 0; from < all.size(); ++from) {
      if (from != i) expected += large(std::to_string(from)) + '\n';
    }
    EXPECT_EQ(all[i].peer.take(), expected);
  }
  EXPECT_EQ(counters().sendCalls.get(), all.size());
}

TEST_F(GroupsTest, VisitsTheMembers) {
  Connected one = member({"birds"});
  Connected two = member({"birds"});
  std::vector<ConnectionId> seen;
  groups.forEachMember("birds", [&](Connection& each) { seen.push_back(each.id()); });
  EXPECT_THAT(seen, testing::UnorderedElementsAre(one.id, two.id));
  groups.forEachMember("nobody's", [&](Connection&) { FAIL(); });
}

TEST_F(GroupsTest, CallsOnFirstMemberAndOnLastMember) {
  std::vector<std::string> called;
  groups.onFirstMember = [&](std::string_view name) { called.push_back("+" + std::string(name)); };
  groups.onLastMember = [&](std::string_view name) { called.push_back("-" + std::string(name)); };
  Connected one = member({"birds"});
  Connected two = member({"birds", "owls"});
  EXPECT_THAT(std::exchange(called, {}), ElementsAre("+birds", "+owls"));
  groups.leave(at(one), "birds");
  EXPECT_THAT(called, IsEmpty());
  groups.send("birds", large("still on its way"));
  at(two).destroy();
  EXPECT_THAT(std::exchange(called, {}), testing::UnorderedElementsAre("-birds", "-owls"));
  groups.join(at(one), "birds");
  EXPECT_THAT(called, ElementsAre("+birds"));
}

TEST_F(GroupsTest, MemberHandlersThatThrowAreCounted) {
  groups.onFirstMember = [](std::string_view) { throw std::runtime_error("oops"); };
  groups.onLastMember = [](std::string_view) { throw 7; };
  Connected one = member({"birds"});
  EXPECT_EQ(groups.memberCount("birds"), 1u);
  at(one).close();
  EXPECT_EQ(groups.groupCount(), 0u);
  settle();
  EXPECT_THAT(events, ElementsAre("close 1000"));
  EXPECT_EQ(counters().handlerErrors.get(), 2u);
}

TEST_F(GroupsTest, NamesMayContainAnyBytes) {
  Connected one = acceptQuietly();
  const std::string_view odd("\0a\n", 3);
  EXPECT_TRUE(groups.join(at(one), odd));
  EXPECT_TRUE(groups.join(at(one), ""));
  EXPECT_FALSE(groups.isMember(at(one), std::string_view("\0b\n", 3)));
  EXPECT_EQ(groups.send(odd, "x"), 1u);
  EXPECT_EQ(groups.send("", "y"), 1u);
  turn();
  EXPECT_EQ(one.peer.take(), "x\ny\n");
}

TEST_F(GroupsTest, ConnectionsOfDifferentProtocolsAreNotMixed) {
  Connected one = member({"birds"});
  const net::PackageCodec frame(Protocol::frame());
  net::Endpoint other = endpoint;
  other.codec = &frame;
  test::SocketPair pair = test::unixPair();
  net::ConnectionImpl& framed = *table.accept(std::move(pair.tested), other).value();
  EXPECT_THROW(groups.join(framed, "birds"), std::logic_error);
  EXPECT_TRUE(groups.join(framed, "frames"));
  groups.send("frames", "x");
  turn();
  EXPECT_EQ(pair.peer.take(), std::string("\0\0\0\5x", 5));
  table.abandon(other);
}

TEST_F(GroupsTest, ProtocolsOfOneNameAreNotMixedButCopiesOfOneAre) {
  const auto withSuffix = [](const std::string& end) {
    return Protocol::custom(
        "suffix",
        [](std::string_view buffer) { return static_cast<std::ptrdiff_t>(buffer.size()); },
        [](std::string_view package) { return package; },
        [end](std::string_view message, std::string& out) { out.append(message).append(end); });
  };
  const Protocol protocol = withSuffix("!");
  const net::PackageCodec codecs[] = {net::PackageCodec(protocol), net::PackageCodec(protocol),
                                      net::PackageCodec(withSuffix("?"))};
  net::Endpoint endpoints[] = {endpoint, endpoint, endpoint};
  std::vector<test::SocketPair> pairs;
  std::vector<net::ConnectionImpl*> peers;
  for (std::size_t i = 0; i < 3; ++i) {
    endpoints[i].codec = &codecs[i];
    pairs.push_back(test::unixPair());
    peers.push_back(table.accept(std::move(pairs.back().tested), endpoints[i]).value());
  }
  EXPECT_TRUE(groups.join(*peers[0], "birds"));
  EXPECT_TRUE(groups.join(*peers[1], "birds"));
  EXPECT_THROW(groups.join(*peers[2], "birds"), std::logic_error);
  EXPECT_EQ(groups.send("birds", "tweet"), 2u);
  turn();
  EXPECT_EQ(pairs[0].peer.take(), "tweet!");
  EXPECT_EQ(pairs[1].peer.take(), "tweet!");
  EXPECT_EQ(pairs[2].peer.take(), "");
  for (const net::Endpoint& each : endpoints) table.abandon(each);
}

TEST_F(GroupsTest, AConnectionMayBeInManyGroupsAndAGroupHaveManyMembers) {
  Connected busy = acceptQuietly();
  for (int i = 0; i < 1000; ++i) groups.join(at(busy), std::to_string(i));
  std::vector<Connected> all;
  for (int i = 0; i < 200; ++i) all.push_back(member({"500"}));
  EXPECT_EQ(groups.groupCount(at(busy)), 1000u);
  for (int i = 0; i < 1000; i += 2) EXPECT_TRUE(groups.leave(at(busy), std::to_string(i)));
  EXPECT_EQ(groups.groupCount(at(busy)), 500u);
  EXPECT_EQ(groups.groupCount(), 501u);
  EXPECT_EQ(groups.send("500", "x"), 200u);
  EXPECT_EQ(groups.send("501", "y"), 1u);
  turn();
  EXPECT_EQ(busy.peer.take(), "y\n");
  for (Connected& each : all) EXPECT_EQ(each.peer.take(), "x\n");
}

TEST_F(GroupsTest, AnEmptyTcpMessageSendsNothing) {
  use(std::make_unique<net::PackageCodec>(Protocol::tcp()));
  std::vector<Connected> all;
  for (int i = 0; i < 50; ++i) all.push_back(member({"birds"}));
  EXPECT_EQ(groups.send("birds", ""), 50u);
  settle();
  EXPECT_EQ(counters().sendCalls.get(), 0u);
}

}  // namespace
}  // namespace stormo
