// Publishes by the HTTP API while its processes and the Channel are killed, stopped or full:
// "Retries" and "Errors" of docs/api.md.
#include <gmock/gmock.h>

#include <csignal>
#include <set>

#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ApiFaults : public WithApi {
 protected:
  static std::string publishOf(const std::string& text) {
    return R"({"group":"a","message":")" + text + R"("})";
  }
  static std::string keyOf(const std::string& text) { return "Idempotency-Key: " + text + "\r\n"; }
  /// Until the message is in the log, as a client that retries does.
  Answer publishSurely(const std::string& text) const {
    return callSurely("POST /v1/publish", publishOf(text), text);
  }
  /// It accepts requests, and has its link to the Channel.
  [[nodiscard]] bool isApiReady() const {
    try {
      return call("GET /v1/stats").status == 200;
    } catch (const std::exception&) {  // the process has just been killed
      return false;
    }
  }
  Id memberOfA() {
    const Id id = clients().connect();
    clients().join(id, "a");
    return id;
  }
  /// What the member has received when a last message has come.
  Texts allTexts(Id member, std::size_t count) {
    publishSurely("last");
    clients().waitForMessages(member, count + 1);
    Texts texts = clients()[member].texts();
    EXPECT_EQ(texts.back(), "last");
    texts.pop_back();
    return texts;
  }
  static void expectUnavailable(const Answer& answer, const std::string& message) {
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_THAT(answer.head, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_EQ(answer.body.at("error").at("code"), "unavailable");
    EXPECT_THAT(answer.body.at("error").at("message").get<std::string>(), HasSubstr(message));
  }
};

TEST_F(ApiFaults, EachMessageArrivesOnceWhileProcessesAreKilled) {
  startWithApi({"--api-processes", "2"});
  const Id id = memberOfA();
  constexpr int kMessages = 120;
  for (int i = 0; i < kMessages; ++i) {
    publishSurely(std::to_string(i));
    if (i % 40 == 10) ::kill(channelPid(), SIGKILL);
    if (i % 40 == 30) {
      for (const pid_t pid : apiPids()) ::kill(pid, SIGKILL);
    }
  }
  const Texts texts = allTexts(id, kMessages);
  EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), std::size_t{kMessages});
  EXPECT_EQ(texts.size(), std::size_t{kMessages});
}

TEST_F(ApiFaults, WithoutAChannelAPublishIsUnavailableAndNothingOfItIsDone) {
  startWithApi();
  const Id id = memberOfA();
  // A stopped master starts no other Channel.
  const pid_t channel = channelPid();
  stormo.foreground().signal(SIGSTOP);
  ::kill(channel, SIGKILL);
  EXPECT_TRUE(test::eventually(deadline, [&] { return call("GET /v1/groups").status == 503; }));
  expectUnavailable(call("POST /v1/publish", publishOf("1"), keyOf("1")), "no link");
  expectUnavailable(
      call("POST /v1/batch", R"({"commands":[{"cmd":"publish",)" + publishOf("1").substr(1) + "]}"),
      "no link");
  expectUnavailable(call("GET /v1/groups"), "there is no link to the Channel");
  expectUnavailable(call("GET /v1/groups/a/history"), "there is no link to the Channel");
  stormo.foreground().signal(SIGCONT);
  EXPECT_FALSE(publishSurely("1").body.contains("duplicate"));
  EXPECT_EQ(publishSurely("1").body.at("duplicate"), true);
  EXPECT_THAT(allTexts(id, 1), ElementsAre("1"));
}

TEST_F(ApiFaults, APublishThatAStoppedChannelDoesNotAcknowledgeTakesEffectOnceWithItsRetry) {
  startWithApi();
  const Id id = memberOfA();
  const pid_t channel = channelPid();
  ::kill(channel, SIGSTOP);
  expectUnavailable(call("POST /v1/publish", publishOf("1"), keyOf("1")),
                    "it may still take effect; with an Idempotency-Key a retry is harmless");
  ::kill(channel, SIGCONT);
  const Answer retried = publishSurely("1");
  EXPECT_EQ(retried.body.at("duplicate"), true) << retried.body;
  EXPECT_THAT(allTexts(id, 1), ElementsAre("1"));
}

TEST_F(ApiFaults, AFullChannelRefusesAWholeRequestAndTakesItOnceLater) {
  startWithApi({"--channel-buffer-bytes", "10000"});
  const Id id = memberOfA();
  const pid_t channel = channelPid();
  ::kill(channel, SIGSTOP);
  const std::string long1 = std::string(6000, '1');
  const std::string long2 = std::string(6000, '2');
  TcpPeer first = beginCall("POST /v1/publish", publishOf(long1), keyOf("first"));
  // The API reads its connections in any order: the first one is in when it is in its counters.
  Answer second;
  do {
    deadline.check("the API to keep the first message");
    second = call("GET /v1/openapi.json");
    second = call("POST /v1/publish", publishOf(long2), keyOf("second"));
  } while (second.status != 503);
  expectUnavailable(second, "the Channel does not take more at the moment");
  const std::string batch = R"({"commands":[{"cmd":"publish","group":"a","message":"short"},
                                            {"cmd":"publish","group":"a","message":")" +
                            long2 + R"("}]})";
  expectUnavailable(call("POST /v1/batch", batch, keyOf("batch")), "does not take more");
  ::kill(channel, SIGCONT);
  EXPECT_EQ(endCall(first).status, 200);
  const Answer retried = callSurely("POST /v1/batch", batch, "batch");
  for (const Json& result : retried.body.at("results")) {
    EXPECT_FALSE(result.contains("duplicate")) << retried.body;
  }
  EXPECT_THAT(allTexts(id, 3), ElementsAre(long1, "short", long2));
}

TEST_F(ApiFaults, APublishWhoseProcessIsKilledBeforeTheAnswerTakesEffectOnceWithItsRetry) {
  startWithApi();
  const Id id = memberOfA();
  const pid_t channel = channelPid();
  const std::string batch = R"({"commands":[{"cmd":"publish","group":"a","message":"1"},
                                            {"cmd":"publish","groups":["b","a"],"message":"2"}]})";
  // Each time at another place: before the process has read it, and after it has sent it.
  for (int round = 0; round < 6; ++round) {
    const std::string name = "round " + std::to_string(round);
    EXPECT_TRUE(test::eventually(deadline, [&] { return isApiReady(); }));
    const pid_t api = apiPids().front();
    if (round % 2 == 0) ::kill(channel, SIGSTOP);
    TcpPeer cut = beginCall("POST /v1/batch", batch, keyOf(name));
    if (round > 2) call("GET /v1/openapi.json");
    ::kill(api, SIGKILL);
    if (round % 2 == 0) {
      // The successor, which has no link, answers what the killed process has not accepted.
      EXPECT_THAT(cut.readToEnd(), AnyOf("", HasSubstr("there is no link to the Channel")));
      ::kill(channel, SIGCONT);
    }
    EXPECT_EQ(callSurely("POST /v1/batch", batch, name).body.at("results").size(), 2u);
    clients().runUntil("a round", [&] {
      return clients()[id].texts().size() >= 2 * static_cast<std::size_t>(round + 1);
    });
  }
  const Texts texts = allTexts(id, 12);
  ASSERT_EQ(texts.size(), 12u);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], i % 2 == 0 ? "1" : "2") << i;
}

}  // namespace
}  // namespace stormo::integration
