// Members that have negotiated permessage-deflate, and others, in one group.
#include <vector>

#include "group/group_fixture.h"
#include "support/websocket_client.h"

namespace stormo {
namespace {

using test::WebSocketClient;

class GroupsDeflateTest : public GroupsTest {
 protected:
  GroupsDeflateTest() {
    use(std::make_unique<net::WebSocketCodec>(
        WebSocketOptions{.deflate = {.enabled = true}},
        [this](Connection& connection, WebSocketHandshake&) { groups.join(connection, "all"); }));
  }
  /// A member with these offers; empty: none.
  WebSocketClient join(const std::string& offers) {
    net::Connected made = acceptQuietly();
    last = made.id;
    WebSocketClient client(std::move(made.peer));
    client.sendHandshake("/", offers.empty() ? "" : "Sec-WebSocket-Extensions: " + offers + "\r\n");
    EXPECT_TRUE(turnUntil([&] { return client.isOpen(); }));
    return client;
  }

  ConnectionId last = 0;
};

TEST_F(GroupsDeflateTest, EachMemberGetsAMessageAsItHasNegotiated) {
  WebSocketClient plain = join("");
  WebSocketClient wide = join("permessage-deflate");
  WebSocketClient alsoWide = join("permessage-deflate; client_max_window_bits");
  WebSocketClient narrow = join("permessage-deflate; server_max_window_bits=9");
  const std::string text = large("a message") + large("another");
  groups.send("all", text);
  groups.send("all", "short");
  settle();
  EXPECT_THAT(plain.all(), testing::ElementsAre(test::textFrame(text), test::textFrame("short")));
  for (WebSocketClient* each : {&wide, &alsoWide, &narrow}) {
    const auto frames = each->all();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0].payload, text);
    EXPECT_GT(frames[0].deflatedBytes, 0u);
    EXPECT_EQ(frames[1], test::textFrame("short"));
  }
}

TEST_F(GroupsDeflateTest, TheOneWhoIsLeftOutGetsNothing) {
  WebSocketClient plain = join("");
  WebSocketClient one = join("permessage-deflate");
  const ConnectionId except = last;
  WebSocketClient other = join("permessage-deflate");
  EXPECT_EQ(groups.sendExcept("all", large("1"), *table.find(except)), 2u);
  groups.send("all", large("2"));
  settle();
  EXPECT_EQ(plain.messages(), (std::vector{large("1"), large("2")}));
  EXPECT_EQ(one.messages(), std::vector{large("2")});
  EXPECT_EQ(other.messages(), (std::vector{large("1"), large("2")}));
}

TEST_F(GroupsDeflateTest, AMemberThatLeavesAndOneThatJoinsInTheSameTurnGetWhatTheyShould) {
  WebSocketClient first = join("permessage-deflate");
  const ConnectionId leaver = last;
  WebSocketClient second = join("");
  const ConnectionId joiner = last;
  groups.leave(*table.find(joiner), "all");
  groups.send("all", large("1"));
  groups.leave(*table.find(leaver), "all");
  groups.join(*table.find(joiner), "all");
  groups.send("all", large("2"));
  settle();
  EXPECT_EQ(first.messages(), std::vector{large("1")});
  EXPECT_EQ(second.messages(), std::vector{large("2")});
}

TEST_F(GroupsDeflateTest, EachMemberGetsItsMessagesInOneSend) {
  std::vector<WebSocketClient> members;
  for (int i = 0; i < 20; ++i) members.push_back(join(i % 2 == 0 ? "" : "permessage-deflate"));
  settle();
  const std::uint64_t before = counters().sendCalls.get();
  for (int i = 0; i < 10; ++i) groups.send("all", large(std::to_string(i)));
  settle();
  EXPECT_EQ(counters().sendCalls.get(), before + 20);
  for (WebSocketClient& each : members) EXPECT_EQ(each.messages().size(), 10u);
}

TEST_F(GroupsDeflateTest, GroupMessagesMixWithThoseThatReferToEarlierOnes) {
  use(std::make_unique<net::WebSocketCodec>(
      WebSocketOptions{.deflate = {.enabled = true, .contextTakeover = true}}));
  WebSocketClient client = join("permessage-deflate");
  Connection& connection = *table.find(last);
  std::vector<std::string> expected;
  const auto sendOwn = [&](const std::string& text) {
    (void)connection.send(large(text));
    expected.push_back(large(text));
  };
  const auto sendToGroup = [&](const std::string& text) {
    groups.send("all", large(text));
    expected.push_back(large(text));
  };
  for (int i = 0; i < 3; ++i) {
    sendOwn("a");
    sendOwn("a");
    groups.join(connection, "all");
    sendToGroup("b");
    sendOwn("a");
    sendToGroup("b");
    if (i == 1) settle();
    sendOwn("b");
    groups.leave(connection, "all");
  }
  // Between two messages of its own, it was in a group and has left it.
  sendOwn("c");
  groups.join(connection, "all");
  sendToGroup("d");
  groups.leave(connection, "all");
  sendOwn("c");
  settle();
  EXPECT_EQ(client.messages(), expected);
}

}  // namespace
}  // namespace stormo
