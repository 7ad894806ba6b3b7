// Publishes with `except`, over two workers: "Publish" of docs/api.md.
#include <gmock/gmock.h>

#include <map>

#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Four clients, two on each of two workers: both of ada's are on different ones.
class Except : public WithApi {
 protected:
  struct Member {
    std::unique_ptr<V1Client> client;
    std::string id;
    std::string user;
    Json position;
  };

  void startWithMembers() {
    startWithTokens({"--history-groups", "room*"});
    const std::vector<pid_t> workers = workerPids();
    for (auto& client : clientsOn(workers, "ada")) addMember(std::move(client), "ada");
    addMember(std::move(clientsOn({workers[0]}, "bob")[0]), "bob");
    addMember(std::move(clientsOn({workers[1]}, "carol")[0]), "carol");
  }
  void addMember(std::unique_ptr<V1Client> client, const std::string& user) {
    Member member{.client = std::move(client), .id = {}, .user = user, .position = {}};
    member.id = member.client->nextEvent().at("client");  // welcome
    for (const char* to : {"user", "all"}) {
      EXPECT_EQ(member.client->join({{"to", to}}).at("ok"), true);
    }
    member.position = member.client->join({{"group", "room"}});
    EXPECT_EQ(member.position.at("ok"), true);
    members.push_back(std::move(member));
  }
  void publish(Json to, const std::string& text, const Json& except = nullptr) const {
    to["message"] = text;
    if (!except.is_null()) to["except"] = except;
    const Answer answer = call("POST /v1/publish", to.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  /// The members, in their order, that have received `text` before a message to everybody.
  std::vector<std::size_t> receivers(const std::string& text) {
    publish({{"group", "room"}}, "fence");
    publish({{"all", true}}, "fence of all");
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < members.size(); ++i) {
      std::size_t count = 0;
      bool isFenced = false;
      bool isFencedAll = false;
      while (!isFenced || !isFencedAll) {
        const Json event = members[i].client->nextEvent();
        const std::string message = event.value("message", "");
        isFenced = isFenced || message == "fence";
        isFencedAll = isFencedAll || message == "fence of all";
        if (message == text) ++count;
      }
      EXPECT_LE(count, 1u);
      if (count > 0) found.push_back(i);
    }
    return found;
  }

  std::vector<Member> members;
};

TEST_F(Except, LeavesOutAllClientsOfAUserAndSingleClients) {
  startWithMembers();
  const Json room = {{"group", "room"}};
  const Json ada = {{"user", "ada"}};
  const Json bob = {{"client", members[2].id}};
  const Json secondAda = {{"client", members[1].id}};
  publish(room, "not to ada", ada);
  EXPECT_THAT(receivers("not to ada"), ElementsAre(2, 3));
  publish(room, "not to one client", bob);
  EXPECT_THAT(receivers("not to one client"), ElementsAre(0, 1, 3));
  publish(room, "not to one of hers", secondAda);
  EXPECT_THAT(receivers("not to one of hers"), ElementsAre(0, 2, 3));
  publish(room, "to carol only", Json::array({ada, bob}));
  EXPECT_THAT(receivers("to carol only"), ElementsAre(3));
  publish(room, "to nobody", Json::array({ada, bob, Json{{"user", "carol"}}}));
  EXPECT_THAT(receivers("to nobody"), IsEmpty());
  publish(room, "not to strangers", Json::array({Json{{"user", "nobody"}}}));
  EXPECT_THAT(receivers("not to strangers"), ElementsAre(0, 1, 2, 3));
}

TEST_F(Except, CountsForAllKindsOfAudiences) {
  startWithMembers();
  const Json ada = {{"user", "ada"}};
  publish({{"groups", {"room", "other"}}}, "groups", ada);
  EXPECT_THAT(receivers("groups"), ElementsAre(2, 3));
  publish({{"pattern", "r*"}}, "pattern", ada);
  EXPECT_THAT(receivers("pattern"), ElementsAre(2, 3));
  publish({{"all", true}}, "all", ada);
  EXPECT_THAT(receivers("all"), ElementsAre(2, 3));
  publish({{"user", "ada"}}, "to her other client", {{"client", members[0].id}});
  EXPECT_THAT(receivers("to her other client"), ElementsAre(1));
}

TEST_F(Except, HoldsForMessagesThatAreRecoveredAlsoAfterAKilledChannel) {
  startWithMembers();
  publish({{"group", "room"}}, "1", {{"user", "ada"}});
  publish({{"group", "room"}}, "2", {{"user", "bob"}});
  stormo.killAndAwaitSuccessor(channelPid());
  const auto recovered = [&](std::size_t member) {
    V1Client again(deadline, port, tokenOfUser(members[member].user));
    const Json joined = again.join({{"group", "room"}}, members[member].position);
    EXPECT_EQ(joined.value("recovered", false), true) << joined;
    return again.messagesSoFar();
  };
  EXPECT_THAT(recovered(0), ElementsAre("2"));
  EXPECT_THAT(recovered(2), ElementsAre("1"));
  EXPECT_THAT(recovered(3), ElementsAre("1", "2"));
}

TEST_F(Except, CountsForClientsOfTheGroupCommandsToo) {
  startWithApi();
  const std::vector<Id> ids = membersOnDifferentWorkers("room");
  clients().send(ids[0], R"({"cmd":"whoami"})");
  clients().waitForMessages(ids[0], 1);
  const Json whoami = Json::parse(clients()[ids[0]].texts().front());
  clients().clear(ids[0]);
  publish({{"group", "room"}}, "not to the first", {{"client", whoami.at("client")}});
  publish({{"group", "room"}}, "to both");
  for (const Id id : ids)
    clients().runUntil("both", [&] {
      return !clients()[id].received.empty() && clients()[id].received.back().data == "to both";
    });
  EXPECT_THAT(clients()[ids[0]].texts(), ElementsAre("to both"));
  EXPECT_THAT(clients()[ids[1]].texts(), ElementsAre("not to the first", "to both"));
}

}  // namespace
}  // namespace stormo::integration
