// Questions to the HTTP API while a worker hangs or is killed: "Questions" of docs/api.md.
#include <gmock/gmock.h>

#include <csignal>
#include <map>

#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Two workers, each with one client: `lost` of the user lost is on the worker that a test kills or
/// stops, and `kept` of the user kept is on the other one. Both are in the group room.
class ApiQuestions : public WithApi {
 protected:
  struct Member {
    std::unique_ptr<V1Client> client;
    std::string id;
  };

  void startWithMembers(const Words& options = {}) {
    startWithTokens(options);
    const std::vector<pid_t> workers = workerPids();
    victim = workers.at(0);
    lost = memberOn(workers.at(0), "lost");
    kept = memberOn(workers.at(1), "kept");
    // Those that clientsOn() has not chosen are closed.
    EXPECT_TRUE(test::eventually(deadline, [&] {
      const Json stats = call("GET /v1/stats").body;
      return stats == Json({{"clients", 2},
                            {"users", 2},
                            {"groups", 4},
                            {"processes", 2},
                            {"complete", true}});
    }));
  }
  Member memberOn(pid_t worker, const std::string& user) {
    Member member{std::move(clientsOn({worker}, user)[0]), {}};
    member.id = member.client->nextEvent().at("client");  // welcome
    for (const std::string& group : {std::string("room"), "of " + user}) {
      EXPECT_EQ(member.client->join({{"group", group}}).at("ok"), true);
    }
    return member;
  }
  /// Asks all at once, since each answer may take 2 s.
  std::map<std::string, Answer> askAll() {
    std::map<std::string, TcpPeer> calls;
    for (const std::string& path :
         {std::string("/v1/groups"), std::string("/v1/groups/room"),
          std::string("/v1/groups/room/clients"), std::string("/v1/users"),
          std::string("/v1/users/lost"), std::string("/v1/users/kept"), std::string("/v1/clients"),
          "/v1/clients/" + lost.id, "/v1/clients/" + kept.id, std::string("/v1/stats")}) {
      calls.emplace(path, beginCall("GET " + path));
    }
    std::map<std::string, Answer> answers;
    for (auto& [path, call] : calls) answers[path] = endCall(call);
    return answers;
  }
  /// The names or ids of a list.
  static std::vector<std::string> namesIn(const Json& list, const char* member) {
    std::vector<std::string> names;
    for (const Json& each : list) names.push_back(each.at(member));
    return names;
  }
  /// What only the other worker has stated. `isComplete`: the killed one is known to be missing no
  /// more.
  void expectShareOfTheOther(std::map<std::string, Answer> answers, bool isComplete) const {
    using Names = std::vector<std::string>;
    for (const auto& [path, answer] : answers) {
      if (path == "/v1/clients/" + lost.id || path == "/v1/clients/" + kept.id) continue;
      EXPECT_EQ(answer.status, 200) << path << answer.body;
      EXPECT_EQ(answer.body.at("complete"), isComplete) << path << answer.body;
    }
    EXPECT_EQ(namesIn(answers["/v1/groups"].body.at("groups"), "name"), (Names{"of kept", "room"}));
    EXPECT_EQ(answers["/v1/groups/room"].body.at("clients"), 1);
    EXPECT_EQ(namesIn(answers["/v1/groups/room/clients"].body.at("clients"), "id"), Names{kept.id});
    EXPECT_EQ(namesIn(answers["/v1/users"].body.at("users"), "user"), Names{"kept"});
    EXPECT_THAT(answers["/v1/users/lost"].body.at("clients"), IsEmpty());
    EXPECT_EQ(namesIn(answers["/v1/users/kept"].body.at("clients"), "id"), Names{kept.id});
    EXPECT_EQ(namesIn(answers["/v1/clients"].body.at("clients"), "id"), Names{kept.id});
    EXPECT_EQ(answers["/v1/clients/" + kept.id].status, 200);
    EXPECT_EQ(answers["/v1/clients/" + kept.id].body.at("id"), kept.id);
    EXPECT_EQ(answers["/v1/stats"].body.at("clients"), 1);
    const Answer& missing = answers["/v1/clients/" + lost.id];
    EXPECT_EQ(missing.status, isComplete ? 404 : 503) << missing.body;
  }

  pid_t victim = 0;
  Member lost;
  Member kept;
};

TEST_F(ApiQuestions, AreAnsweredWithoutAStoppedWorkerAndCompletelyWhenItGoesOn) {
  startWithMembers();
  ::kill(victim, SIGSTOP);
  const auto answers = askAll();
  expectShareOfTheOther(answers, false);
  EXPECT_EQ(answers.at("/v1/stats").body.at("processes"), 1);
  EXPECT_THAT(answers.at("/v1/clients/" + lost.id).head, HasSubstr("Retry-After: 1\r\n"));
  const Answer published = call("POST /v1/publish", R"({"pattern":"*","message":"x"})");
  EXPECT_EQ(published.body.at("complete"), false) << published.body;
  EXPECT_EQ(published.body.at("results").size(), 2u) << published.body;  // "of kept" and "room"
  ::kill(victim, SIGCONT);
  // It has also received the message that was published meanwhile.
  EXPECT_EQ(lost.client->messagesThrough("x").size(), 1u);
  const Answer clients = call("GET /v1/clients");
  EXPECT_EQ(clients.body.at("clients").size(), 2u);
  EXPECT_EQ(clients.body.at("complete"), true);
  EXPECT_EQ(call("GET /v1/clients/" + lost.id).status, 200);
}

TEST_F(ApiQuestions, AreAnsweredWhileAWorkerIsKilledAndHaveTheShareOfItsSuccessorLater) {
  startWithMembers();
  // So that the questions still wait for it when it dies.
  ::kill(victim, SIGSTOP);
  std::vector<TcpPeer> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(beginCall("GET /v1/clients"));
  ::kill(victim, SIGKILL);
  for (TcpPeer& each : waiting) {
    const Answer answer = endCall(each);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(namesIn(answer.body.at("clients"), "id"), std::vector<std::string>{kept.id});
  }
  EXPECT_TRUE(test::eventually(deadline, [&] {
    const Answer stats = call("GET /v1/stats");
    EXPECT_EQ(stats.status, 200) << stats.body;
    return stats.body.at("processes") == 2 && stats.body.at("complete") == true;
  }));
  expectShareOfTheOther(askAll(), true);
  const pid_t successor = workerPids().at(0);
  lost = memberOn(successor, "lost");
  EXPECT_TRUE(test::eventually(deadline, [&] {
    const Answer clients = call("GET /v1/clients");
    return clients.body.at("clients").size() == 2 && clients.body.at("complete") == true;
  }));
}

TEST_F(ApiQuestions, AreAnsweredWhileTheChannelIsKilledAndCompletelyLater) {
  startWithMembers();
  ::kill(victim, SIGSTOP);
  std::vector<TcpPeer> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(beginCall("GET /v1/clients"));
  ::kill(channelPid(), SIGKILL);
  for (TcpPeer& each : waiting) {
    const Answer answer = endCall(each);
    EXPECT_TRUE(answer.status == 503 || answer.body.at("complete") == false) << answer.body;
  }
  ::kill(victim, SIGCONT);
  EXPECT_TRUE(test::eventually(deadline, [&] {
    const Answer clients = call("GET /v1/clients");
    return clients.status == 200 && clients.body.at("complete") == true &&
           clients.body.at("clients").size() == 2;
  }));
}

TEST_F(ApiQuestions, AreAnsweredWithoutAnyShareIfTheChannelHangs) {
  startWithMembers();
  const pid_t channel = channelPid();
  ::kill(channel, SIGSTOP);
  for (const auto& [path, answer] : askAll()) {
    if (path.starts_with("/v1/clients/")) {
      EXPECT_EQ(answer.status, 503) << path << answer.body;
      EXPECT_THAT(answer.head, HasSubstr("Retry-After: 1\r\n")) << path;
      continue;
    }
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    EXPECT_EQ(answer.body.at("complete"), false) << path << answer.body;
  }
  ::kill(channel, SIGCONT);
  const Answer stats = call("GET /v1/stats");
  EXPECT_EQ(stats.body.at("processes"), 2) << stats.body;
  EXPECT_EQ(stats.body.at("complete"), true) << stats.body;
}

TEST_F(ApiQuestions, OfTheShellStateThatAWorkerIsMissing) {
  startWithMembers();
  ::kill(victim, SIGSTOP);
  const std::pair<Words, std::string> table[] = {
      {{"clients", "--json"}, kept.id}, {{"groups"}, "of kept"}, {{"users"}, "kept"}};
  for (const auto& [words, expected] : table) {
    const Outcome outcome = stormo.run(words);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr(expected));
    EXPECT_EQ(outcome.errors,
              "stormo " + words[0] + ": a process did not reply: the list is not complete\n");
  }
  ::kill(victim, SIGCONT);
}

}  // namespace
}  // namespace stormo::integration
