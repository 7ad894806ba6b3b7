// Tests of the link in Workerman's dialect only; see also client_link_test.cc.
#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"
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

/// A link, and a server that sends only what the test sends.
class WorkermanDialectTest : public ChannelTest {
 protected:
  WorkermanDialectTest() { makeAnother(); }

  void makeAnother() {
    link = std::make_unique<ClientLink>("frame://127.0.0.1:" +
                                        std::to_string(localAddress(listener.get()).port()));
    link->onGroupMessage = [this](const GroupMessage& message) {
      calls.push_back("group " + std::string(message.group) + ": " +
                      std::string(message.message.data));
    };
    link->onEvent = [this](std::string_view event, const Value&) {
      calls.push_back("event " + std::string(event));
    };
    link->connect();
    EXPECT_TRUE(turnUntil([&] { return accept() && link->isConnected(); }));
  }

  bool accept() {
    UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return peer.peer.valid();
    peer = Link{test::RawPeer(std::move(fd)), {}};
    return true;
  }
  /// The whole frames that the link has sent.
  std::string sent() {
    settle();
    return peer.peer.take();
  }

  UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  std::unique_ptr<ClientLink> link;
  Link peer;
  std::vector<std::string> calls;
};

TEST_F(WorkermanDialectTest, GroupEventIsSubscribedWhileAnyGroupIs) {
  const std::string subscribe = command(CommandType::Subscribe, {"send_to_group"});
  const std::string unsubscribe = command(CommandType::Unsubscribe, {"send_to_group"});
  link->dialect().subscribeGroup("1");
  EXPECT_EQ(sent(), subscribe);
  link->dialect().subscribeGroup("2");
  link->dialect().unsubscribeGroup("1");
  EXPECT_EQ(sent(), "");
  link->dialect().unsubscribeGroup("2");
  EXPECT_EQ(sent(), unsubscribe);
}

TEST_F(WorkermanDialectTest, GroupEventIsSharedWithTheUser) {
  const std::string subscribe = command(CommandType::Subscribe, {"send_to_group"});
  const std::string unsubscribe = command(CommandType::Unsubscribe, {"send_to_group"});
  link->dialect().subscribeGroup("1");
  EXPECT_EQ(sent(), subscribe);
  link->subscribe({"send_to_group"});
  peer.send(framed(eventPayload("send_to_group", groupData("1", "ciao"))));
  EXPECT_TRUE(turnUntil([&] { return calls.size() == 2; }));
  EXPECT_THAT(calls, ElementsAre("group 1: ciao", "event send_to_group"));
  sent();
  link->unsubscribe({"send_to_group"});
  EXPECT_EQ(sent(), "") << "the groups need it";
  link->subscribe({"send_to_group"});
  sent();
  link->dialect().unsubscribeGroup("1");
  EXPECT_EQ(sent(), "") << "the user needs it";
  link->unsubscribe({"send_to_group"});
  EXPECT_EQ(sent(), unsubscribe);
}

TEST_F(WorkermanDialectTest, GroupMessageIsSentAsTheGroupEvent) {
  EXPECT_EQ(link->dialect().publishToGroup("123", "Questo è un messaggio", {}),
            PublishStatus::Accepted);
  EXPECT_EQ(sent(), command(CommandType::Publish, {"send_to_group"},
                            groupData("123", "Questo è un messaggio")));
}

TEST_F(WorkermanDialectTest, OtherEventsAreNotGroupMessages) {
  link->dialect().subscribeGroup("5");
  peer.send(
      framed(eventPayload("send_to_group", "s:4:\"ciao\";")) +
      framed(eventPayload("send_to_group", groupData("6", "not subscribed"))) +
      framed(eventPayload("send_to_group", "a:2:{s:7:\"message\";d:1.5;s:8:\"group_id\";i:5;}")));
  EXPECT_TRUE(turnUntil([&] { return !calls.empty(); }));
  EXPECT_THAT(calls, ElementsAre("group 5: 1.5"));
}

TEST_F(WorkermanDialectTest, PayloadsMayEndWithANewline) {
  link->subscribe({"news"});
  peer.send(framed(eventPayload("news", "N;") + "\n"));
  EXPECT_TRUE(turnUntil([&] { return !calls.empty(); }));
  EXPECT_THAT(calls, ElementsAre("event news"));
}

TEST_F(WorkermanDialectTest, InvalidServerPacketClosesTheLink) {
  for (const std::string& frame :
       {command(CommandType::Subscribe, {"a"}), command(CommandType::Publish, {"a"}, "N;"),
        command(CommandType::Reserve), framed("?"), encode({.kind = Kind::Pong})}) {
    peer.send(frame);
    EXPECT_TRUE(ended(peer)) << frame;
    peer = {};
    makeAnother();
  }
  EXPECT_THAT(calls, IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
