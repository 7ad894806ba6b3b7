// PHP processes and Stormo's clients on one Channel, in Workerman's dialect.
#include <gmock/gmock.h>

#include "integration/harness/with_stormo.h"
#include "integration/harness/workerman_peer.h"
#include "sys/address.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;

class WorkermanSideBySide : public WithStormo {
 protected:
  void startOpenForWorkerman() {
    startStormo({"--workers", "2", "--channel-listen", "frame://127.0.0.1:0"});
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") != "channel") continue;
      const auto listen = row.at("listen").get<std::string>();  // "unix:///…, frame://…"
      channelPort_ = parseSocketUrl(listen.substr(listen.find("frame://"))).port;
    }
  }

  WorkermanPeer peer() { return {deadline, channelPort_}; }

  /// Returns when all earlier commands of this peer have been executed.
  static void settle(WorkermanPeer& peer) {
    peer.subscribe({"fence"});
    peer.publish("fence", Value(true));
    ASSERT_EQ(peer.next().channel, "fence");
  }

  static Value groupMessage(Value group, Value message) {
    return Value::array({{"group_id", std::move(group)}, {"message", std::move(message)}});
  }

 private:
  std::uint16_t channelPort_ = 0;
};

TEST_F(WorkermanSideBySide, EventsPublishedByPhpReachMembersOnAllWorkers) {
  startOpenForWorkerman();
  const auto members = membersOnDifferentWorkers("123");
  WorkermanPeer php = peer();
  php.publish("send_to_group", groupMessage("123", "Questo è un messaggio"));
  php.publish("send_to_group", groupMessage("124", "for others"));
  php.publish("send_to_group", groupMessage(123, "by an integer"));
  for (const Id id : members) {
    clients().waitForMessages(id, 2);
    EXPECT_THAT(clients()[id].texts(), ElementsAre("Questo è un messaggio", "by an integer"));
  }
}

TEST_F(WorkermanSideBySide, MessagesOfClientsReachPhpAndTheMembers) {
  startOpenForWorkerman();
  const auto members = membersOnDifferentWorkers("123");
  WorkermanPeer php = peer();
  php.subscribe({"send_to_group"});
  settle(php);
  clients().sendToGroup(members[0], "123", "Questo è un messaggio");
  for (const Id id : members) clients().waitForMessages(id, 1);
  const WorkermanPeer::Event event = php.next();
  EXPECT_EQ(event.channel, "send_to_group");
  EXPECT_EQ(event.data["group_id"].asString().empty()
                ? std::to_string(event.data["group_id"].asInt())
                : event.data["group_id"].asString(),
            "123");
  EXPECT_EQ(event.data["message"].asString(), "Questo è un messaggio");

  clients().sendToGroup(members[0], "a group of nobody", "no members");
  clients().settle({members[0]});
  EXPECT_EQ(php.next().data["message"].asString(), "no members");
}

TEST_F(WorkermanSideBySide, MessagesOfPhpAndClientsArriveOnceAndInOneOrder) {
  startOpenForWorkerman();
  const auto members = membersOnDifferentWorkers("123");
  WorkermanPeer php = peer();
  php.subscribe({"send_to_group"});
  settle(php);
  constexpr int kEach = 500;
  for (int i = 0; i < kEach; ++i) {
    php.publish("send_to_group", groupMessage("123", "php " + std::to_string(i)));
    clients().sendToGroup(members[0], "123", "web " + std::to_string(i));
  }
  for (const Id id : members) clients().waitForMessages(id, 2 * kEach);
  const Texts texts = clients()[members[0]].texts();
  EXPECT_TRUE(clients()[members[1]].texts() == texts);
  Texts received;
  std::map<std::string, int> next;
  for (const std::string& text : texts) {
    const std::string kind = text.substr(0, 3);
    EXPECT_EQ(text, kind + ' ' + std::to_string(next[kind]++));
    received.emplace_back(php.next().data["message"].asString());
  }
  EXPECT_TRUE(received == texts);
}

TEST_F(WorkermanSideBySide, EventsWithoutAGroupMessageAreIgnored) {
  startOpenForWorkerman();
  const auto members = membersOnDifferentWorkers("123");
  WorkermanPeer php = peer();
  for (const Value& data :
       {Value(), Value("text"), Value(7), Value::list({"123", "x"}),
        Value::array({{"group_id", "123"}}), Value::array({{"message", "no group"}}),
        groupMessage(Value::list(), "x"), groupMessage("", "x"),
        groupMessage(std::string(300, 'n'), "x")}) {
    php.publish("send_to_group", data);
  }
  php.publish("something else", Value("x"));
  php.publish("send_to_group", groupMessage("123", "the last"));
  clients().runUntil("the last message", [&] {
    const auto& received = clients()[members[1]].received;
    return !received.empty() && received.back().data == "the last";
  });
  for (const Json status = stormo.status(); const Json& row : status.at("processes")) {
    if (row.at("kind") == "master") continue;
    EXPECT_EQ(row.at("restarts"), 0) << row;
  }
}

TEST_F(WorkermanSideBySide, PhpProcessesExchangeEventsAndJobs) {
  startOpenForWorkerman();
  WorkermanPeer first = peer();
  WorkermanPeer second = peer();
  first.subscribe({"news"});
  settle(first);
  second.publish(
      "news", Value::array({{"title", "ciao"}, {"pages", Value::list({1, 2.5, nullptr, true})}}));
  const WorkermanPeer::Event event = first.next();
  EXPECT_EQ(event.channel, "news");
  EXPECT_TRUE(event.data ==
              Value::array({{"title", "ciao"}, {"pages", Value::list({1, 2.5, nullptr, true})}}));

  second.enqueue("jobs", Value("one"));
  second.enqueue("jobs", Value("two"));
  first.watch("jobs");
  first.reserve();
  EXPECT_EQ(first.next().data.asString(), "one");
  second.watch("jobs");
  second.reserve();
  EXPECT_EQ(second.next().data.asString(), "two");
}

}  // namespace
}  // namespace stormo::integration
