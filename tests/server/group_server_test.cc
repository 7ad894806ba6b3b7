#include "server/server_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A program's own rules, in both protocols.
class GroupServerTest : public ServerTest {
 protected:
  void startWith(std::function<void(GroupServer&)> prepare) {
    settings.prepare = std::move(prepare);
    start();
  }
  /// After it everything that the client has sent was handled.
  void sync(Client& client) {
    client.send("ping");
    EXPECT_TRUE(
        turnUntil([&] { return !client.all().empty() && client.received.back() == "pong"; }));
    client.received.pop_back();
  }

  std::vector<std::string> notes;
};

TEST_F(GroupServerTest, AJoinRejectedByMayJoinIsForbidden) {
  startWith([](GroupServer& own) {
    own.mayJoin = [](Connection&, std::string_view group) { return group == "open"; };
  });
  Client plain = connect(0), v1 = connect(1, "stormo.v1");
  plain.send(R"({"cmd":"add_group","group_id":"closed"})");
  EXPECT_THAT(await(plain, 1), ElementsAre(HasSubstr(R"("code":"forbidden")")));
  v1.send(R"({"id":1,"cmd":"join","group":"closed"})");
  EXPECT_THAT(await(v1, 1), ElementsAre(HasSubstr(R"("code":"forbidden")")));

  plain.send(R"({"cmd":"add_group","group_id":"open"})");
  v1.send(R"({"id":2,"cmd":"join","group":"open"})");
  EXPECT_THAT(await(v1, 1), ElementsAre(HasSubstr(R"("id":2,"ok":true)")));
  sync(plain);
  v1.send(R"({"id":3,"cmd":"send","group":"open","message":"ciao"})");
  EXPECT_THAT(await(plain, 1), ElementsAre("ciao"));
}

TEST_F(GroupServerTest, ASendRejectedByMaySendIsForbiddenAndDropped) {
  startWith([](GroupServer& own) {
    own.maySend = [](Connection&, std::string_view, std::string_view message) {
      return message != "spam";
    };
  });
  Client member = connect(0), plain = connect(1), v1 = connect(1, "stormo.v1");
  member.send(R"({"cmd":"add_group","group_id":"g"})");
  sync(member);
  settle();
  plain.send(R"({"cmd":"send_to_group","group_id":"g","message":"spam"})");
  EXPECT_THAT(await(plain, 1), ElementsAre(HasSubstr(R"("code":"forbidden")")));
  v1.send(R"({"id":1,"cmd":"send","group":"g","message":"spam"})");
  EXPECT_THAT(await(v1, 1), ElementsAre(HasSubstr(R"("code":"forbidden")")));
  v1.send(R"({"id":2,"cmd":"send","group":"g","message":"news"})");
  EXPECT_THAT(await(member, 1), ElementsAre("news"));
}

TEST_F(GroupServerTest, JoinsAndLeavesAreReportedAlsoThoseOfAClosedClient) {
  startWith([this](GroupServer& own) {
    own.onJoin = [this](Connection&, std::string_view group) {
      notes.push_back("+" + std::string(group));
    };
    own.onLeave = [this](Connection&, std::string_view group) {
      notes.push_back("-" + std::string(group));
    };
  });
  Client plain = connect(0), v1 = connect(0, "stormo.v1");
  plain.send(R"({"cmd":"add_group","group_id":"a"})");
  plain.send(R"({"cmd":"add_group","group_id":"a"})");
  plain.send(R"({"cmd":"leave_group","group_id":"a"})");
  plain.send(R"({"cmd":"leave_group","group_id":"a"})");
  sync(plain);
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("+a", "-a"));
  v1.send(R"({"id":1,"cmd":"join","group":"b"})");
  v1.send(R"({"id":2,"cmd":"join","group":"c"})");
  await(v1, 2);
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("+b", "+c"));
  v1.send(R"({"id":3,"cmd":"leave","group":"b"})");
  await(v1, 1);
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("-b"));
  v1.socket.raw() = test::RawPeer();
  EXPECT_TRUE(turnUntil([&] { return !notes.empty(); }));
  EXPECT_THAT(notes, ElementsAre("-c"));
}

TEST_F(GroupServerTest, AProgramHasCommandsOfItsOwnInBothProtocols) {
  startWith([](GroupServer& own) {
    own.onCommand = [](Connection& client, const Value& command) {
      if (command["cmd"].asString() != "whoami") return false;
      (void)client.send("you are " + std::string(command["name"].asString()));
      return true;
    };
  });
  for (const char* subprotocol : {"", "stormo.v1"}) {
    Client client = connect(0, subprotocol);
    client.send(R"({"id":1,"cmd":"whoami","name":"heron"})");
    EXPECT_THAT(await(client, 1), ElementsAre("you are heron"));
    client.send(R"({"id":2,"cmd":"dance"})");
    EXPECT_THAT(await(client, 1), ElementsAre(HasSubstr(R"("code":"unknown_cmd")")));
  }
}

TEST_F(GroupServerTest, TheProgramSendsToGroupsInAllProcesses) {
  start();
  Client plain = connect(0), v1 = connect(1, "stormo.v1");
  plain.send(R"({"cmd":"add_group","group_id":"g"})");
  sync(plain);
  v1.send(R"({"id":1,"cmd":"join","group":"g"})");
  await(v1, 1);
  settle();
  EXPECT_EQ(workers[1]->groupServer.send("g", "from the program"), PublishStatus::Accepted);
  EXPECT_THAT(await(plain, 1), ElementsAre("from the program"));
  EXPECT_THAT(await(v1, 1), ElementsAre(HasSubstr(R"("message":"from the program")")));
}

}  // namespace
}  // namespace stormo::server
