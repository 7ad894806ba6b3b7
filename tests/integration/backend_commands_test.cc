// Commands of the backend, by the HTTP API, while other workers and the Channel are killed:
// "Clients and groups" of docs/api.md, docs/control.md.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::UnorderedElementsAre;

class BackendCommands : public WithApi {
 protected:
  void command(const std::string& name, const Json& body) const {
    const Answer answer = call("POST /v1/" + name, body.dump());
    EXPECT_EQ(answer.status, 200) << name << body << answer.body;
    EXPECT_GT(answer.body.at("offset"), 0) << answer.body;
  }
  std::unique_ptr<V1Client> clientOn(pid_t worker, const std::string& user) {
    auto client = std::move(clientsOn({worker}, user)[0]);
    EXPECT_EQ(client->nextEvent().at("event"), "welcome");
    return client;
  }
  static std::string textOf(const Json& event) {
    const auto kind = event.at("event").get<std::string>();
    if (kind == "info") return "info " + event.at("info").at("n").dump();
    if (kind == "message") return "message " + event.at("message").get<std::string>();
    return kind + ' ' + event.at("group").get<std::string>();
  }
  static Texts eventsThrough(V1Client& client, const std::string& last) {
    Texts texts;
    while (texts.empty() || texts.back() != last) texts.push_back(textOf(client.nextEvent()));
    return texts;
  }
  /// Gives commands to the user ada, `count` times, and calls `meanwhile` before each time. Her
  /// client gets each once, and the message that she may have.
  void expectEachCommandOnce(V1Client& ada, int count, const std::function<void(int)>& meanwhile) {
    // An info does not wait for the messages of a join before it, so it has an order of its own.
    Texts expected;
    Texts expectedInfo;
    for (int i = 0; i < count; ++i) {
      meanwhile(i);
      const std::string group = "g" + std::to_string(i);
      const Json message = {{"group", group}, {"message", group}};
      command("info", {{"user", "ada"}, {"info", {{"n", i}}}});
      command("join", {{"user", "ada"}, {"group", group}});
      command("publish", message);
      command("leave", {{"user", "ada"}, {"group", group}});
      command("publish", message);
      expectedInfo.push_back("info " + std::to_string(i));
      for (const char* event : {"joined ", "message ", "left "}) expected.push_back(event + group);
    }
    command("join", {{"user", "ada"}, {"group", "end"}});
    expected.emplace_back("joined end");
    Texts events = eventsThrough(ada, "joined end");
    const auto info = std::ranges::stable_partition(
        events, [](const std::string& event) { return !event.starts_with("info"); });
    expectSame({info.begin(), info.end()}, expectedInfo);
    expectSame({events.begin(), info.begin()}, expected);
  }
  static void expectSame(const Texts& events, const Texts& expected) {
    EXPECT_EQ(events.size(), expected.size());
    const auto [event, wanted] = std::ranges::mismatch(events, expected);
    if (event == events.end() || wanted == expected.end()) return;
    ADD_FAILURE() << "'" << *event << "' came in place of '" << *wanted << "'";
  }
};

TEST_F(BackendCommands, ReachTheClientsOfTheOtherWorkersOnceWhileOneIsKilled) {
  startWithTokens({"--history-groups", "*"});
  const std::vector<pid_t> workers = workerPids();
  const auto ada = clientOn(workers.at(1), "ada");
  const auto bob = clientOn(workers.at(1), "bob");
  expectEachCommandOnce(*ada, 40, [&](int i) {
    if (i % 10 != 5) return;
    for (const pid_t pid : workerPids()) {
      if (pid != workers.at(1)) ::kill(pid, SIGKILL);
    }
  });
  for (const pid_t pid : workerPids()) {
    if (pid != workers.at(1)) ::kill(pid, SIGKILL);
  }
  command("disconnect", {{"user", "ada"}, {"code", 4000}, {"reason", "bye"}});
  EXPECT_EQ(ada->awaitClose(), (V1Client::Closed{CloseCode{4000}, "bye"}));
  EXPECT_EQ(bob->request({{"cmd", "ping"}}).at("ok"), true);
}

TEST_F(BackendCommands, TakeEffectOnceOverAKilledChannel) {
  startWithTokens({"--history-groups", "*"});
  const auto ada = clientOn(workerPids().at(1), "ada");
  expectEachCommandOnce(*ada, 30, [&](int i) {
    // The API is to have a link for the next command: without one it refuses it.
    if (i % 10 != 5) return;
    stormo.killAndAwaitSuccessor(channelPid());
    EXPECT_TRUE(test::eventually(deadline, [&] { return call("GET /v1/stats").status == 200; }));
  });
  const pid_t channel = channelPid();
  ::kill(channel, SIGSTOP);
  TcpPeer waiting = beginCall("POST /v1/disconnect", R"({"user":"ada","code":4000})");
  ::kill(channel, SIGKILL);
  EXPECT_EQ(ada->awaitClose().code, CloseCode{4000});
  EXPECT_EQ(endCall(waiting).status, 200);
}

TEST_F(BackendCommands, ForAllReachTheClientsOfEachWorkerOnce) {
  startWithTokens({"--workers", "3", "--history-groups", "*"});
  const std::vector<pid_t> workers = workerPids();
  const auto clients = clientsOn(workers, "ada");
  for (const auto& client : clients) EXPECT_EQ(client->nextEvent().at("event"), "welcome");
  ::kill(workers.at(0), SIGKILL);
  command("join", {{"all", true}, {"group", "room"}});
  command("info", {{"all", true}, {"info", {{"n", 1}}}});
  command("join", {{"all", true}, {"group", "room"}});  // no second event
  for (const pid_t pid : workerPids()) {
    if (pid != workers.at(1) && pid != workers.at(2)) ::kill(pid, SIGKILL);
  }
  command("leave", {{"all", true}, {"group", "room"}});
  command("info", {{"all", true}, {"info", {{"n", 2}}}});
  command("join", {{"all", true}, {"group", "end"}});
  EXPECT_EQ(clients[0]->awaitClose().code, CloseCode::Abnormal);
  for (std::size_t i : {1u, 2u}) {
    EXPECT_THAT(eventsThrough(*clients[i], "joined end"),
                UnorderedElementsAre("joined room", "info 1", "left room", "info 2", "joined end"));
  }
  command("disconnect", {{"all", true}});
  for (std::size_t i : {1u, 2u}) {
    EXPECT_EQ(clients[i]->awaitClose().code, CloseCode::PolicyViolation);
  }
}

}  // namespace
}  // namespace stormo::integration
