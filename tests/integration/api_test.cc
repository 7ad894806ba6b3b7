// The HTTP API with the real program, as docs/api.md describes it.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "integration/harness/with_api.h"
#include "support/schema_check.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Api : public WithApi {};

TEST_F(Api, APublishReachesTheMembersAndIsAnsweredWithItsPosition) {
  startWithApi();
  const auto members = membersOnDifferentWorkers("news");
  const Answer first = call("POST /v1/publish", R"({"group":"news","message":"one"})");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_GT(first.body.at("offset"), 0);
  EXPECT_EQ(first.body.at("epoch").get<std::string>().size(), 16u);
  const Answer second = call("POST /v1/publish", R"({"group":"news","message":{"n":2}})");
  EXPECT_GT(second.body.at("offset"), first.body.at("offset"));
  for (const Id id : members) {
    clients().waitForMessages(id, 2);
    EXPECT_THAT(clients()[id].texts(), ElementsAre("one", R"({"n":2})"));
  }
}

TEST_F(Api, ABatchTakesEffectInItsOrder) {
  startWithApi();
  const Id id = clients().connect();
  clients().join(id, "a");
  clients().join(id, "b");
  const Answer answer = call("POST /v1/batch", R"({"commands":[
      {"cmd":"publish","group":"a","message":"1"},
      {"cmd":"publish","groups":["b","a"],"message":"2"},
      {"cmd":"publish","group":"b","message":"3"}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  ASSERT_EQ(answer.body.at("results").size(), 3u);
  EXPECT_EQ(answer.body.at("results")[1].at("results")[0].at("group"), "b");
  clients().waitForMessages(id, 4);
  EXPECT_EQ(clients()[id].texts().back(), "3");
}

TEST_F(Api, AWrongCommandOfABatchPreventsAllOfIt) {
  startWithApi();
  const Id id = clients().connect();
  clients().join(id, "a");
  const Answer answer = call("POST /v1/batch", R"({"commands":[
      {"cmd":"publish","group":"a","message":"1"},{"cmd":"publish","group":"a"}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body.at("error").at("field"), "commands[1]");
  call("POST /v1/publish", R"({"group":"a","message":"later"})");
  clients().waitForMessages(id, 1);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("later"));
}

TEST_F(Api, ARetryWithAnIdempotencyKeyIsADuplicate) {
  startWithApi({"--api-processes", "2"});
  const Id id = clients().connect();
  clients().join(id, "a");
  const std::string body = R"({"commands":[{"cmd":"publish","group":"a","message":"1"},
                                           {"cmd":"publish","group":"a","message":"2"}]})";
  const std::string idempotency = "Idempotency-Key: order-7\r\n";
  const Answer first = call("POST /v1/batch", body, idempotency);
  EXPECT_FALSE(first.body.at("results")[0].contains("duplicate")) << first.body;
  for (int i = 0; i < 4; ++i) {
    const Answer again = call("POST /v1/batch", body, idempotency);
    EXPECT_EQ(again.status, 200);
    for (const Json& result : again.body.at("results")) {
      EXPECT_EQ(result.at("duplicate"), true) << again.body;
    }
  }
  call("POST /v1/publish", R"({"group":"a","message":"end"})");
  clients().waitForMessages(id, 3);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("1", "2", "end"));
}

TEST_F(Api, RequestsWithoutAKnownKeyOrTheRightAreRefused) {
  const Outcome made = SpawnedProgram(deadline, {STORMO_BIN_DIR "/stormo", "api-key", "reader",
                                                 "--right", "read", "--quiet"})
                           .waitForEnd();
  const std::string secret = made.output.substr(0, made.output.find('\n'));
  std::string word = made.output.substr(made.output.find('\n') + 1);
  word.pop_back();
  startWithApi({"--api-key", word});
  const std::string body = R"({"group":"a","message":"1"})";
  const Answer none = callWith("", "POST /v1/publish", body);
  EXPECT_EQ(none.status, 401);
  EXPECT_THAT(none.head, HasSubstr("WWW-Authenticate: Bearer"));
  EXPECT_EQ(callWith("Authorization: Bearer nonsense\r\n", "POST /v1/publish", body).status, 401);
  const std::string reader = "Authorization: Bearer " + secret + "\r\n";
  const Answer forbidden = callWith(reader, "POST /v1/publish", body);
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_THAT(forbidden.body.at("error").at("message").get<std::string>(), HasSubstr("publish"));
  const Answer batch =
      callWith(reader, "POST /v1/batch", R"({"commands":[{"cmd":"disconnect","all":true}]})");
  EXPECT_EQ(batch.status, 403);
  EXPECT_EQ(callWith("", "GET /v1/openapi.json").status, 200);
}

TEST_F(Api, OtherMethodsAndPathsAreNamed) {
  startWithApi();
  const Answer method = call("GET /v1/publish");
  EXPECT_EQ(method.status, 405);
  EXPECT_THAT(method.head, HasSubstr("Allow: POST\r\n"));
  EXPECT_EQ(call("DELETE /v1/groups").status, 405);
  EXPECT_EQ(call("POST /v1/fly", "{}").status, 404);
  EXPECT_EQ(call("GET /v1/groups/%zz").status, 400);
}

TEST_F(Api, AHistoryIsReadFromAPosition) {
  startWithApi({"--history-groups", "kept.*"});
  std::vector<std::uint64_t> offsets;
  for (const char* text : {"1", "2", "3"}) {
    const Answer answer =
        call("POST /v1/publish", std::string(R"({"group":"kept.a","message":")") + text + R"("})");
    offsets.push_back(answer.body.at("offset"));
  }
  const Answer all = call("GET /v1/groups/kept.a/history");
  EXPECT_EQ(all.status, 200) << all.body;
  ASSERT_EQ(all.body.at("messages").size(), 3u) << all.body;
  EXPECT_EQ(all.body.at("messages")[0].at("message"), "1");
  const Answer latest = call("GET /v1/groups/kept.a/history?limit=1");
  ASSERT_EQ(latest.body.at("messages").size(), 1u);
  EXPECT_EQ(latest.body.at("messages")[0].at("message"), "3");
  const Answer after =
      call("GET /v1/groups/kept.a/history?since=" + std::to_string(offsets[0]) + "&limit=1");
  ASSERT_EQ(after.body.at("messages").size(), 1u) << after.body;
  EXPECT_EQ(after.body.at("messages")[0].at("message"), "2");
  EXPECT_EQ(after.body.at("more"), true);
  EXPECT_EQ(after.body.at("complete"), true);
}

TEST_F(Api, TheMachinesKeyIsItsOwnersAlone) {
  startWithApi();
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(instanceFile("api.key")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Api, AHistoryThatHasLostMessagesStillHasTheLatestOnes) {
  startWithApi({"--history-groups", "kept.*", "--history-messages", "2"});
  for (const char* text : {"1", "2", "3"}) {
    call("POST /v1/publish", std::string(R"({"group":"kept.a","message":")") + text + R"("})");
  }
  const Answer latest = call("GET /v1/groups/kept.a/history");
  ASSERT_EQ(latest.body.at("messages").size(), 2u) << latest.body;
  EXPECT_EQ(latest.body.at("messages")[1].at("message"), "3");
  EXPECT_EQ(latest.body.at("complete"), false);
}

TEST_F(Api, AnswersAreAsTheDescriptionStates) {
  startWithApi({"--history-groups", "kept.*"});
  const Id id = clients().connect();
  clients().join(id, "kept.a");
  const Json description = callWith("", "GET /v1/openapi.json").body;
  const test::SchemaCheck check(description);
  const std::tuple<const char*, const char*, const char*> requests[] = {
      {"/v1/publish", "POST /v1/publish", R"({"group":"kept.a","message":"1"})"},
      {"/v1/publish", "POST /v1/publish", R"({"groups":["kept.a","b"],"message":"2"})"},
      {"/v1/publish", "POST /v1/publish", R"({"pattern":"*","message":"3","except":{"user":"u"}})"},
      {"/v1/batch", "POST /v1/batch",
       R"({"commands":[{"cmd":"publish","group":"a","message":"1"},
                       {"cmd":"publish","groups":["a"],"message":"1"}]})"},
      {"/v1/join", "POST /v1/join", R"({"user":"ada","group":"a"})"},
      {"/v1/leave", "POST /v1/leave", R"({"user":"ada","group":"a"})"},
      {"/v1/disconnect", "POST /v1/disconnect", R"({"user":"ada","code":4000,"reason":"bye"})"},
      {"/v1/info", "POST /v1/info", R"({"user":"ada","info":{"a":1}})"},
      {"/v1/revoke", "POST /v1/revoke", R"({"user":"ada","for_seconds":5})"},
      {"/v1/groups", "GET /v1/groups?limit=1", ""},
      {"/v1/groups/{name}", "GET /v1/groups/kept.a", ""},
      {"/v1/groups/{name}/clients", "GET /v1/groups/kept.a/clients", ""},
      {"/v1/groups/{name}/history", "GET /v1/groups/kept.a/history", ""},
      {"/v1/users", "GET /v1/users", ""},
      {"/v1/users/{id}", "GET /v1/users/ada", ""},
      {"/v1/clients", "GET /v1/clients", ""},
      {"/v1/clients/{id}", "GET /v1/clients/nobody", ""},
      {"/v1/stats", "GET /v1/stats", ""},
      {"/v1/openapi.json", "GET /v1/openapi.json", ""},
  };
  std::set<std::string> seen;
  for (const auto& [path, line, body] : requests) {
    const bool isPost = body[0] != '\0';
    const Json& operation = description.at("paths").at(path).at(isPost ? "post" : "get");
    if (isPost) {
      const Json& schema =
          operation.at("requestBody").at("content").at("application/json").at("schema");
      EXPECT_EQ(check.complaint(schema, Json::parse(body)), "") << line << body;
    }
    const Answer answer = call(line, body);
    const std::string status = answer.status == 200 ? "200" : "default";
    const Json& response = check.resolved(operation.at("responses").at(status));
    const Json& schema = response.at("content").at("application/json").at("schema");
    EXPECT_EQ(check.complaint(schema, answer.body), "") << line << ' ' << answer.body;
    EXPECT_EQ(answer.status, std::string(path) == "/v1/clients/{id}" ? 404 : 200) << line;
    seen.insert(path);
  }
  for (const auto& [path, item] : description.at("paths").items()) {
    EXPECT_TRUE(seen.contains(path)) << path << " is not tested";
  }
}

}  // namespace
}  // namespace stormo::integration
