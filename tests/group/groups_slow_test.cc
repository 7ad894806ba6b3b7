// Members that do not keep up.
#include "group/group_fixture.h"
#include "support/websocket_client.h"

namespace stormo {
namespace {

using net::Connected;
using testing::ElementsAre;
using testing::IsEmpty;

class GroupsSlowTest : public GroupsTest {
 protected:
  Connected narrowMember(std::initializer_list<std::string_view> names) {
    auto pair = test::unixPair();
    test::shrinkSendBuffer(pair.tested.get());
    Connected made = acceptQuietly(std::move(pair));
    for (const auto name : names) groups.join(at(made), name);
    return made;
  }
};

TEST_F(GroupsSlowTest, ASlowMemberGetsAllInOrder) {
  Connected slow = narrowMember({"a", "b"});
  Connected alone = narrowMember({"a"});
  std::string expected;
  std::string ofA;
  for (int i = 0; i < 100; ++i) {
    const std::string text = large(std::to_string(i));
    groups.send(i % 3 == 0 ? "b" : "a", text);
    expected += text + '\n';
    if (i % 3 != 0) ofA += text + '\n';
    if (i % 5 == 0) turn();
  }
  settle();
  EXPECT_GT(at(slow).sendQueueBytes(), 0u);
  ASSERT_TRUE(turnUntil([&] {
    slow.peer.receive(1000);
    alone.peer.receive(1000);
    return slow.peer.received().size() >= expected.size() &&
           alone.peer.received().size() >= ofA.size();
  }));
  EXPECT_EQ(slow.peer.received(), expected);
  EXPECT_EQ(alone.peer.received(), ofA);
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(GroupsSlowTest, AMemberThatDoesNotReadIsClosedAndOthersMissNothing) {
  endpoint.sendQueueBytesMax = 20'000;
  for (const std::string& text : {large("x"), std::string("small")}) {
    Connected slow = narrowMember({"a"});
    Connected quick = member({"a"});
    std::size_t sent = 0;
    std::size_t received = 0;
    while (table.find(slow.id) != nullptr) {
      ASSERT_EQ(groups.send("a", text), 2u);
      ++sent;
      turn();
      received += quick.peer.take().size();
      ASSERT_LT(sent, 100'000u);
    }
    EXPECT_EQ(received, sent * (text.size() + 1));
    EXPECT_EQ(groups.memberCount("a"), 1u);
    EXPECT_THAT(takeEvents(), ElementsAre("full", "close 1006"));
    EXPECT_TRUE(slow.peer.ended());
    at(quick).destroy();
    turn();
    takeEvents();
  }
  EXPECT_EQ(counters().slowClosed.get(), 2u);
}

TEST_F(GroupsSlowTest, AMemberThatNeverReadsEmptyMessagesIsClosedBeforeItHoldsMuchMemory) {
  endpoint.sendQueueBytesMax = 20'000;
  Connected slow = narrowMember({"a"});
  for (int i = 0; table.find(slow.id) != nullptr; ++i) {
    ASSERT_LT(i, 200'000);
    groups.send("a", "");
    turn();
    ASSERT_LT(SharedBuffer::heldBytes(), 4 * endpoint.sendQueueBytesMax);
  }
  EXPECT_EQ(counters().slowClosed.get(), 1u);
  EXPECT_EQ(SharedBuffer::heldBytes(), 0u);
}

TEST_F(GroupsSlowTest, AMemberThatWaitsForItsShareIsNotClosed) {
  endpoint.sendQueueBytesMax = 1'000;
  std::vector<Connected> members;
  for (int i = 0; i < 60; ++i) members.push_back(member({"a"}));
  const std::string text(80'000, 'x');
  for (int i = 0; i < 2; ++i) {
    groups.send("a", text);
    turn();
    for (Connected& one : members) one.peer.receive();
  }
  EXPECT_TRUE(turnUntil([&] {
    bool all = true;
    for (Connected& one : members) all &= one.peer.drain().size() == 2 * text.size() + 2;
    return all;
  }));
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(GroupsSlowTest, AboveTheMemoryLimitTheTurnSendsUntilTheKernelRefuses) {
  endpoint.sendQueueBytesMax = 1 << 30;
  std::vector<Connected> members;
  for (int i = 0; i < 60; ++i) members.push_back(member({"a"}));
  const std::string text(40 << 20, 'x');
  groups.send("a", text);
  groups.send("a", text);
  turn();
  for (Connected& one : members)
    EXPECT_EQ(net::ConnectionImpl::of(at(one)).out.state, net::WriteState::Refused);
}

TEST_F(GroupsSlowTest, ASlowMemberOfSeveralGroupsIsClosedOnce) {
  endpoint.sendQueueBytesMax = 5'000;
  Connected slow = narrowMember({"a", "b", "c"});
  while (table.find(slow.id) != nullptr) {
    for (const char* name : {"a", "b", "c"}) groups.send(name, large("x"));
    (void)at(slow).send("y");
    turn();
  }
  settle();
  EXPECT_EQ(counters().slowClosed.get(), 1u);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(groups.groupCount(), 0u);
}

TEST_F(GroupsSlowTest, OneTurnsOutputMayExceedTheLimitAndDrains) {
  endpoint.sendQueueBytesMax = 5'000;
  Connected slow = narrowMember({"a"});
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    groups.send("a", large(std::to_string(i)));
    expected += large(std::to_string(i)) + '\n';
  }
  settle();
  ASSERT_TRUE(turnUntil([&] { return slow.peer.drain().size() >= expected.size(); }));
  settle();
  EXPECT_EQ(slow.peer.take(), expected);
  EXPECT_THAT(events, ElementsAre("full", "drain"));
}

TEST_F(GroupsSlowTest, PingsAndPongsDoNotCloseAMemberOverTheLimit) {
  use(std::make_unique<net::WebSocketCodec>(WebSocketOptions{}));
  endpoint.sendQueueBytesMax = 5'000;
  endpoint.pingInterval = std::chrono::milliseconds(20);
  endpoint.pongTimeout = std::chrono::milliseconds(20);
  Connected slow = narrowMember({"a"});
  slow.peer.send(test::WebSocketClient::request());
  turn();
  groups.send("a", std::string(40'000, 'x'));
  turn();
  ASSERT_GT(at(slow).sendQueueBytes(), 5'000u);
  slow.peer.send(test::WebSocketClient::frame(0x89, "are you there?"));
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("full", "error in pong", "close 1006"));
  EXPECT_EQ(counters().slowClosed.get(), 0u);
}

TEST_F(GroupsSlowTest, ADisconnectedMemberDoesNotAffectOthers) {
  Connected dead = member({"a"});
  Connected alive = member({"a"});
  at(dead).pauseRecv();  // else its end would be read first
  dead.peer.close();
  for (int i = 0; i < 3; ++i) {
    groups.send("a", large(std::to_string(i)));
    turn();
  }
  EXPECT_EQ(alive.peer.take(), large("0") + '\n' + large("1") + '\n' + large("2") + '\n');
  EXPECT_THAT(events, ElementsAre("error in send", "close 1006"));
  EXPECT_EQ(groups.memberCount("a"), 1u);
}

}  // namespace
}  // namespace stormo
