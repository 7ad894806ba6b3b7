// The messages that a member of groups gets in one turn, and their order.
#include "group/group_fixture.h"
#include "support/websocket_client.h"

namespace stormo {
namespace {

using net::Connected;
using test::WebSocketClient;
using testing::ElementsAre;

class GroupsOrderTest : public GroupsTest {
 protected:
  static std::string lines(std::initializer_list<std::string> texts) {
    std::string all;
    for (const std::string& text : texts) all += text + '\n';
    return all;
  }
};

TEST_F(GroupsOrderTest, GroupMessagesAndSingleSendsKeepTheirOrderInOneCall) {
  Connected one = member({"a", "b"});
  Connected two = member({"b", "a"});
  groups.send("a", large("1"));
  (void)at(one).send("2");
  groups.send("b", large("3"));
  groups.send("a", large("4"));
  (void)at(one).send("5");
  groups.send("b", "6");
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("1"), "2", large("3"), large("4"), "5", "6"}));
  EXPECT_EQ(two.peer.take(), lines({large("1"), large("3"), large("4"), "6"}));
  EXPECT_EQ(counters().sendCalls.get(), 2u);
}

TEST_F(GroupsOrderTest, HundredsOfAlternatingMessagesOfTwoGroupsAreOneCall) {
  Connected one = member({"a", "b"});
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    groups.send(i % 2 == 0 ? "a" : "b", large(std::to_string(i)));
    expected += large(std::to_string(i)) + '\n';
  }
  turn();
  EXPECT_EQ(one.peer.take(), expected);
  EXPECT_EQ(counters().sendCalls.get(), 1u);
}

TEST_F(GroupsOrderTest, AnswersBetweenGroupMessagesAreOneCall) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  std::string expected;
  for (int i = 0; i < 400; ++i) {
    groups.sendExcept("a", large(std::to_string(i)), at(one));
    (void)at(two).send("ok");
    expected += lines({large(std::to_string(i)), "ok"});
  }
  turn();
  EXPECT_EQ(one.peer.take(), "");
  ASSERT_TRUE(turnUntil([&] { return two.peer.drain().size() >= expected.size(); }));
  EXPECT_EQ(two.peer.take(), expected);
}

TEST_F(GroupsOrderTest, TwoGroupsObjectsKeepOneOrderAndOneCall) {
  Groups others;
  Connected one = member({"a"});
  others.join(at(one), "a");
  others.send("a", large("1"));
  groups.send("a", large("2"));
  (void)at(one).send("3");
  others.send("a", large("4"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("1"), large("2"), "3", large("4")}));
  EXPECT_EQ(counters().sendCalls.get(), 1u);
}

TEST_F(GroupsOrderTest, AMemberThatJoinsWithinATurnGetsLaterMessages) {
  Connected one = member({"a"});
  Connected two = acceptQuietly();
  groups.send("a", large("before"));
  groups.join(at(two), "a");
  groups.send("a", large("after"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("before"), large("after")}));
  EXPECT_EQ(two.peer.take(), lines({large("after")}));
  groups.send("a", large("next"));
  turn();
  EXPECT_EQ(two.peer.take(), lines({large("next")}));
}

TEST_F(GroupsOrderTest, AMemberThatLeavesWithinATurnGetsEarlierMessages) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  groups.send("a", large("before"));
  groups.leave(at(two), "a");
  groups.send("a", large("after"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("before"), large("after")}));
  EXPECT_EQ(two.peer.take(), lines({large("before")}));
}

TEST_F(GroupsOrderTest, AMemberThatLeavesGetsItsMessagesInOrder) {
  Connected one = member({"a", "b"});
  groups.send("a", large("1"));
  (void)at(one).send("2");
  groups.send("b", large("3"));
  groups.send("a", large("4"));
  groups.leave(at(one), "a");
  (void)at(one).send("5");
  groups.send("b", large("6"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("1"), "2", large("3"), large("4"), "5", large("6")}));
}

TEST_F(GroupsOrderTest, AMemberThatLeavesAndRejoinsMissesTheMessagesBetween) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  groups.send("a", large("1"));
  groups.leave(at(one), "a");
  groups.send("a", large("2"));
  groups.join(at(one), "a");
  groups.sendExcept("a", large("3"), at(one));
  groups.send("a", large("4"));
  groups.leave(at(one), "a");
  groups.join(at(one), "a");
  groups.send("a", large("5"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("1"), large("4"), large("5")}));
  EXPECT_EQ(two.peer.take(), lines({large("1"), large("2"), large("3"), large("4"), large("5")}));
}

TEST_F(GroupsOrderTest, AClosedMemberGetsEarlierMessagesInOrder) {
  Connected one = member({"a", "b"});
  groups.send("a", large("1"));
  (void)at(one).send("2");
  groups.send("b", large("3"));
  at(one).close();
  groups.send("a", large("4"));
  settle();
  EXPECT_EQ(one.peer.take(), lines({large("1"), "2", large("3")}));
  EXPECT_TRUE(one.peer.ended());
}

TEST_F(GroupsOrderTest, AnExclusionEndsWithItsTurn) {
  Connected one = member({"a"});
  Connected two = member({"a"});
  groups.sendExcept("a", large("1"), at(one));
  turn();
  groups.send("a", large("2"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("2")}));
  groups.sendExcept("a", large("3"), at(one));
  groups.leave(at(one), "a");
  groups.join(at(one), "b");
  groups.send("b", large("4"));
  turn();
  EXPECT_EQ(one.peer.take(), lines({large("4")}));
}

/// Members that join before their WebSocket handshake is done.
class GroupsHandshakeTest : public GroupsTest {
 protected:
  GroupsHandshakeTest() { useWebSocket({}); }
  void useWebSocket(net::WebSocketCodec::ConnectHandler onConnect) {
    use(std::make_unique<net::WebSocketCodec>(WebSocketOptions{}, std::move(onConnect)));
  }
  /// Connects and sends no request yet. Joins "a" if `joins`.
  WebSocketClient connect(bool joins = true) {
    endpoint.handlers.onConnect = [this, joins](Connection& connection) {
      last = connection.id();
      if (joins) groups.join(connection, "a");
    };
    return WebSocketClient(std::move(accept().peer));
  }
  WebSocketClient open() {
    WebSocketClient client = connect();
    client.sendHandshake();
    EXPECT_TRUE(turnUntil([&] { return client.isOpen(); }));
    return client;
  }
  ConnectionId last = 0;
};

TEST_F(GroupsHandshakeTest, GroupMessagesDuringTheHandshakeFollowTheResponse) {
  WebSocketClient open1 = open();
  WebSocketClient late = connect();
  groups.send("a", large("1"));
  turn();
  groups.send("a", "2");
  (void)table.find(last)->send("3");
  groups.send("a", large("4"));
  turn();
  EXPECT_EQ(late.raw().take(), "");
  late.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return late.isOpen(); }));
  EXPECT_THAT(late.messages(), ElementsAre(large("1"), "2", "3", large("4")));
  EXPECT_THAT(open1.messages(), ElementsAre(large("1"), "2", large("4")));
}

TEST_F(GroupsHandshakeTest, GroupMessagesInTheTurnOfTheHandshakeFollowTheResponse) {
  useWebSocket([&](Connection& connection, WebSocketHandshake&) {
    groups.send("a", large("before joining"));
    groups.join(connection, "a");
    groups.send("a", large("1"));
    groups.send("a", "2");
  });
  WebSocketClient early = connect();
  early.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return early.isOpen(); }));
  early.all();
  WebSocketClient late = connect(false);
  late.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return late.isOpen(); }));
  EXPECT_THAT(late.messages(), ElementsAre(large("1"), "2"));
  EXPECT_THAT(early.messages(), ElementsAre(large("before joining"), large("1"), "2"));
}

TEST_F(GroupsHandshakeTest, ARefusedMemberGetsOnlyTheRefusal) {
  useWebSocket([&](Connection&, WebSocketHandshake& handshake) {
    groups.send("a", large("secret"));
    groups.send("a", "secret");
    handshake.refuse(403, "no");
  });
  WebSocketClient client = connect();
  groups.send("a", "secret");
  client.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.status(), 403);
  EXPECT_EQ(client.body(), "no\n");
}

TEST_F(GroupsHandshakeTest, GroupMessagesThatWaitForAHandshakeAreLimited) {
  endpoint.sendQueueBytesMax = 10'000;
  for (const std::string& text : {large("x"), std::string("small")}) {
    WebSocketClient never = connect();
    for (int i = 0; i < 10'000 && table.find(last) != nullptr; ++i) {
      groups.send("a", text);
      turn();
    }
    EXPECT_EQ(table.find(last), nullptr) << text.size();
  }
  EXPECT_EQ(counters().slowClosed.get(), 2u);
}

}  // namespace
}  // namespace stormo
