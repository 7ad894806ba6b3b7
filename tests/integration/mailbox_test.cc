// What is sent to a user while he is away: his mailbox, docs/v1-protocol.md.
#include <gmock/gmock.h>

#include <csignal>

#include "integration/harness/v1_client.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Mailbox : public WithApi {
 protected:
  V1Client connect(const std::string& user) {
    V1Client client(deadline, port, tokenOfUser(user));
    EXPECT_EQ(client.nextEvent().at("user"), user);  // welcome
    return client;
  }
  void publish(const std::string& user, const std::string& text) const {
    const Json body = {{"user", user}, {"message", text}};
    callSurely("POST /v1/publish", body.dump(), user + text);
  }
  /// Of a user who has read his mailbox, and has then disconnected.
  Json positionOf(const std::string& user) {
    V1Client client = connect(user);
    Json position = client.join({{"to", "user"}});
    EXPECT_EQ(position.at("ok"), true) << position;
    return position;
  }
};

TEST_F(Mailbox, WhatIsSentToAnAbsentUserComesWhenHeConnects) {
  startWithTokens({"--history-groups", "no group"});
  const Json position = positionOf("ada");
  publish("ada", "1");
  publish("bob", "for bob");
  publish("ada", "2");
  V1Client ada = connect("ada");
  const Json joined = ada.join({{"to", "user"}}, position);
  EXPECT_EQ(joined.at("recovered"), true) << joined;
  EXPECT_THAT(ada.messagesSoFar(), ElementsAre("1", "2"));
  publish("ada", "3");
  EXPECT_THAT(ada.messagesThrough("3"), ElementsAre("3"));
  // A second device of the user has its own position.
  V1Client phone = connect("ada");
  EXPECT_EQ(phone.join({{"to", "user"}}, joined).at("recovered"), true);
  EXPECT_THAT(phone.messagesSoFar(), ElementsAre("3"));
}

TEST_F(Mailbox, OutlivesKilledWorkersAndAKilledChannel) {
  startWithTokens({"--history-groups", "no group"});
  V1Client ada = connect("ada");
  const Json position = ada.join({{"to", "user"}});
  const pid_t herWorker = workersOf(stormo, {ada.localPort()}).front();
  std::size_t number = 0;
  for (int round = 0; round < 2; ++round) {
    for (const pid_t pid : workerPids()) {
      if (pid == herWorker || round == 1) ::kill(pid, SIGKILL);
    }
    publish("ada", std::to_string(number++));
    ::kill(channelPid(), SIGKILL);
    publish("ada", std::to_string(number++));
    stormo.killAndAwaitSuccessor(channelPid());
    publish("ada", std::to_string(number++));
  }
  V1Client again = connect("ada");
  const Json joined = again.join({{"to", "user"}}, position);
  EXPECT_EQ(joined.at("recovered"), true) << joined;
  EXPECT_THAT(again.messagesSoFar(), ElementsAre("0", "1", "2", "3", "4", "5"));
  publish("ada", "live");
  EXPECT_THAT(again.messagesThrough("live"), ElementsAre("live"));
}

TEST_F(Mailbox, AUserWhoStaysConnectedReceivesEachMessageOnceOverAKilledChannel) {
  startWithTokens({"--history-groups", "no group"});
  V1Client ada = connect("ada");
  ASSERT_EQ(ada.join({{"to", "user"}}).at("ok"), true);
  std::vector<std::string> sent;
  for (int i = 0; i < 30; ++i) {
    if (i % 10 == 5) ::kill(channelPid(), SIGKILL);
    sent.push_back(std::to_string(i));
    publish("ada", sent.back());
  }
  EXPECT_EQ(ada.messagesThrough(sent.back()), sent);
}

TEST_F(Mailbox, WithoutHistoriesItReachesAsFarAsTheReplayWindow) {
  startWithTokens();
  publish("ada", "before");
  const Json position = positionOf("ada");
  publish("ada", "1");
  {
    V1Client ada = connect("ada");
    EXPECT_EQ(ada.join({{"to", "user"}}, position).at("recovered"), true);
    EXPECT_THAT(ada.messagesSoFar(), ElementsAre("1"));
  }
  Json commands = Json::array();
  const Json one = {{"cmd", "publish"}, {"group", "busy"}, {"message", "-"}};
  for (int i = 0; i < 1000; ++i) commands.push_back(one);
  EXPECT_EQ(call("POST /v1/batch", Json{{"commands", commands}}.dump()).status, 200);
  V1Client ada = connect("ada");
  EXPECT_EQ(ada.join({{"to", "user"}}, position).at("recovered"), false);
  EXPECT_THAT(ada.messagesSoFar(), IsEmpty());
}

}  // namespace
}  // namespace stormo::integration
