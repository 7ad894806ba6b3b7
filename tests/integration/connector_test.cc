// Connector with ws:// as a client of the real server.
#include <gmock/gmock.h>
#include <stormo/connector.h>
#include <stormo/event_loop.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>

#include "integration/harness/with_stormo.h"
#include "support/loop_fixture.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

/// Joins the group "all" whenever it is connected.
class GroupClient {
 public:
  GroupClient(std::uint16_t port, const std::string& name, const DeflateOptions& deflate)
      : name_(name), connector_("ws://127.0.0.1:" + std::to_string(port) + "/?name=" + name) {
    connector_.reconnect = 10ms;
    connector_.websocket.deflate = deflate;
    connector_.onConnect = [this](Connection& connection) {
      isMember = false;
      for (const std::string& group : {std::string("all"), "only " + name_}) {
        (void)connection.send(Json({{"cmd", "add_group"}, {"group_id", group}}).dump());
      }
      sendTo("only " + name_, "joined");  // shows that it is a member of both
    };
    connector_.onMessage = [this](Connection&, Message message) {
      if (message == "joined") {
        isMember = true;
      } else {
        received.emplace_back(message.data);
      }
    };
    connector_.onClose = [this](Connection& connection) {
      isMember = false;
      codes.push_back(static_cast<int>(connection.closeCode()));
    };
    connector_.connect();
  }

  void sendTo(const std::string& group, const std::string& message) {
    const Json command = {{"cmd", "send_to_group"}, {"group_id", group}, {"message", message}};
    (void)connector_.connection()->send(command.dump());
  }

  bool isMember = false;
  std::vector<std::string> received;
  std::vector<int> codes;

 private:
  std::string name_;
  Connector connector_;
};

class ConnectorToStormo : public WithStormo {
 protected:
  void connectMembers() {
    const DeflateOptions kinds[] = {
        {}, {.enabled = true}, {.enabled = true, .contextTakeover = true}};
    for (const DeflateOptions& deflate : kinds) {
      const std::string name = "m" + std::to_string(members.size());
      members.push_back(std::make_unique<GroupClient>(stormo.port(), name, deflate));
    }
  }
  [[nodiscard]] bool allAreMembers() {
    return test::turnUntil(loop, [&] {
      return std::ranges::all_of(members, [](const auto& each) { return each->isMember; });
    });
  }
  [[nodiscard]] bool allHaveClosed() {
    return test::turnUntil(loop, [&] {
      return std::ranges::all_of(members, [](const auto& each) { return !each->codes.empty(); });
    });
  }
  /// Each member sends to the group, and all receive everything in one order.
  void expectDelivery() {
    const std::string json(5000, 'j');
    for (const auto& member : members) member->received.clear();
    for (const auto& member : members) {
      member->sendTo("all", json);
      member->sendTo("all", "short");
    }
    const std::size_t count = 2 * members.size();
    ASSERT_TRUE(test::turnUntil(loop, [&] {
      return std::ranges::all_of(members,
                                 [&](const auto& each) { return each->received.size() >= count; });
    }));
    for (const auto& member : members) {
      EXPECT_EQ(member->received, members.front()->received);
      EXPECT_EQ(std::ranges::count(member->received, json), 3);
    }
  }

  EventLoop loop;
  std::vector<std::unique_ptr<GroupClient>> members;
};

TEST_F(ConnectorToStormo, IsAMemberOfGroupsWithMembersOnSeveralWorkers) {
  stormo.start(freePort({"--workers", "2", "--deflate"}));
  connectMembers();
  ASSERT_TRUE(allAreMembers());
  expectDelivery();
  members.clear();
}

TEST_F(ConnectorToStormo, ReconnectsAfterAReload) {
  stormo.start(freePort({"--workers", "1", "--deflate"}));
  connectMembers();
  ASSERT_TRUE(allAreMembers());
  const auto reload = stormo.begin({"reload"});
  ASSERT_TRUE(test::turnUntil(loop, [&] { return reload->statusIfEnded().has_value(); }));
  EXPECT_EQ(reload->waitForEnd().status, 0);
  ASSERT_TRUE(allHaveClosed());
  ASSERT_TRUE(allAreMembers());
  for (const auto& member : members) EXPECT_THAT(member->codes, testing::ElementsAre(1012));
  expectDelivery();
  members.clear();
}

TEST_F(ConnectorToStormo, ReconnectsAfterAllWorkersWereKilled) {
  stormo.start(freePort({"--workers", "1", "--deflate"}));
  connectMembers();
  ASSERT_TRUE(allAreMembers());
  for (const pid_t worker : stormo.pids("worker")) ::kill(worker, SIGKILL);
  ASSERT_TRUE(allHaveClosed());
  ASSERT_TRUE(allAreMembers());
  for (const auto& member : members) EXPECT_EQ(member->codes.front(), 1006);
  expectDelivery();
  members.clear();
}

}  // namespace
}  // namespace stormo::integration
