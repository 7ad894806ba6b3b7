// What the backend commands: see docs/control.md.
#include "server/backend_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value joinOf(std::string_view user, std::string_view group) {
  return Value::array({{"cmd", "join"}, {"user", user}, {"group", group}});
}

TEST_F(BackendTest, AJoinIsFollowedByAllMessagesAfterIt) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  for (const char* const group : {"kept", "without a history"}) {
    send(Audience::group(group), "before");
    command(joinOf("ada", group));
    for (const char* text : {"1", "2", "3"}) send(Audience::group(group), text);
    EXPECT_THAT(await(plain, 3), ElementsAre("1", "2", "3"));
    EXPECT_THAT(brief(await(v1Client, 4)), ElementsAre("joined", "1", "2", "3"));
    send(Audience::group(group), "4");
    EXPECT_THAT(await(plain, 1), ElementsAre("4"));
    EXPECT_THAT(brief(await(v1Client, 1)), ElementsAre("4"));
  }
}

TEST_F(BackendTest, AJoinIsCompleteThoughTheChannelIsKilled) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  for (int round = 0; round < 3; ++round) {
    const std::string group = "kept" + std::to_string(round);
    command(joinOf("ada", group));
    send(Audience::group(group), "1");
    for (int turns = 0; turns < round; ++turns) turn();
    restartChannel();
    send(Audience::group(group), "2");
    EXPECT_THAT(await(plain, 2), ElementsAre("1", "2"));
    EXPECT_THAT(brief(await(v1Client, 3)), ElementsAre("joined", "1", "2"));
  }
}

TEST_F(BackendTest, TheJoinedEventHasThePositionOfTheCommand) {
  startAll();
  Client client = ada(true);
  command(joinOf("ada", "quiet"));
  const auto events = await(client, 1);
  EXPECT_THAT(events, ElementsAre(testing::MatchesRegex(
                          R"(\{"event":"joined","group":"quiet","epoch":"[0-9a-f]{16}",)"
                          R"("offset":[1-9][0-9]*\})")));
  EXPECT_EQ(brief({ask(client, R"({"id":1,"cmd":"join","group":"quiet"})")})[0], "already_joined");
  // Of a token without rights:
  EXPECT_EQ(brief({ask(client, R"({"id":2,"cmd":"join","group":"other"})")})[0], "forbidden");
}

TEST_F(BackendTest, MessagesBetweenAJoinAndALeaveArriveThoughTheJoinIsNotDone) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  const Value leave = Value::array({{"cmd", "leave"}, {"user", "ada"}, {"group", "kept"}});
  // The commands come at once: the leave before the Channel's reply to the join.
  command(joinOf("ada", "kept"));
  command(joinOf("ada", "kept"));
  send(Audience::group("kept"), "1");
  command(leave);
  send(Audience::group("kept"), "missed");
  command(joinOf("ada", "kept"));
  send(Audience::group("kept"), "2");
  command(leave);
  command(leave);
  send(Audience::group("kept"), "missed, too");
  EXPECT_THAT(brief(await(v1Client, 6)), ElementsAre("joined", "1", "left", "joined", "2", "left"));
  EXPECT_THAT(await(plain, 2), ElementsAre("1", "2"));
  send(Audience::user("ada"), "end");
  EXPECT_THAT(await(plain, 1), ElementsAre("end"));
  EXPECT_THAT(v1Client.all(), IsEmpty());
  // One that is done:
  command(joinOf("ada", "kept"));
  EXPECT_THAT(brief(await(v1Client, 1)), ElementsAre("joined"));
  command(leave);
  EXPECT_THAT(await(v1Client, 1), ElementsAre(R"({"event":"left","group":"kept"})"));
  send(Audience::group("kept"), "missed");
  send(Audience::user("ada"), "end");
  EXPECT_THAT(await(plain, 1), ElementsAre("end"));
}

TEST_F(BackendTest, TheLimitOfGroupsCountsForAJoinOfTheBackend) {
  settings.options.groupsPerClientMax = 1;
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  command(joinOf("ada", "kept1"));
  command(joinOf("ada", "kept2"));
  send(Audience::group("kept2"), "not this");
  send(Audience::group("kept1"), "this");
  EXPECT_THAT(await(plain, 1), ElementsAre("this"));
  EXPECT_THAT(brief(await(v1Client, 2)), ElementsAre("joined", "this"));
}

TEST_F(BackendTest, ADisconnectHasItsCodeAndReasonAndLeavesOthers) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  Client bob = withToken(R"({"sub":"bob"})", false);
  sync(bob);
  command(Value::array({{"cmd", "disconnect"}, {"user", "ada"}, {"code", 4000}, {"reason", "x"}}));
  EXPECT_EQ(closed(plain), "4000 x");
  EXPECT_EQ(closed(v1Client), "4000 x");
  sync(bob);
  command(Value::array({{"cmd", "disconnect"}, {"client", idOf(bob, false)}}));
  EXPECT_EQ(closed(bob), "1008 ");
}

TEST_F(BackendTest, AMessageBeforeADisconnectArrives) {
  startAll();
  Client plain = ada(false);
  send(Audience::everybody(), "bye");
  command(Value::array({{"cmd", "disconnect"}, {"all", true}, {"code", 1000}}));
  EXPECT_TRUE(turnUntil([&] { return !plain.all().empty(); }));
  EXPECT_THAT(plain.received, ElementsAre("bye"));
}

TEST_F(BackendTest, InfoReplacesThatOfTheToken) {
  settings.prepare = [](GroupServer& own) {
    own.onCommand = [](Connection& client, const Value&) {
      return client.send(infoOf(client)) == SendStatus::Queued;
    };
  };
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  EXPECT_EQ(ask(plain, R"({"cmd":"info"})"), R"({"a":1})");
  command(Value::array({{"cmd", "info"}, {"user", "ada"}, {"info", R"({"b":2})"}}));
  EXPECT_THAT(await(v1Client, 1), ElementsAre(R"({"event":"info","info":{"b":2}})"));
  EXPECT_EQ(ask(plain, R"({"cmd":"info"})"), R"({"b":2})");
  command(Value::array({{"cmd", "info"}, {"user", "ada"}, {"info", ""}}));
  EXPECT_THAT(await(v1Client, 1), ElementsAre(R"({"event":"info","info":null})"));
}

TEST_F(BackendTest, MalformedEventsAreDropped) {
  startAll();
  Client plain = ada(false);
  for (const char* event : {"stormo.control", "stormo.revoked"}) {
    for (const Value& data : {Value(), Value("x"), Value(7), Value::list({1, "a"}),
                              Value::array({{"cmd", "join"}, {"user", Value::list({})}}),
                              Value::array({{"user", "ada"}, {"until", "soon"}}),
                              Value::array({{"user", "ada"}, {"token", "x"}, {"until", 9}})}) {
      EXPECT_EQ(backend->publish(event, data), PublishStatus::Accepted);
    }
  }
  send(Audience::user("ada"), "alive");
  EXPECT_THAT(await(plain, 1), ElementsAre("alive"));
}

// --- Revocation ---

class RevocationTest : public BackendTest {
 protected:
  static Value revocation(std::string_view key, std::string_view name) {
    return Value::array({{key, name}, {"until", 4'000'000'000}});
  }
  void revoke(const Value& data) {
    const auto until = std::chrono::system_clock::now() + std::chrono::hours(1);
    bool isDone = false;
    EXPECT_EQ(backend->retain(kRevocationEvent, 1, data, until,
                              [&](const Result<Receipt>& receipt) { isDone = bool(receipt); }),
              PublishStatus::Accepted);
    EXPECT_TRUE(turnUntil([&] { return isDone; }));
  }
};

TEST_F(RevocationTest, ClosesTheClientsOfAUserAndRefusesItsTokens) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  Client bob = withToken(R"({"sub":"bob"})", false);
  sync(bob);
  revoke(revocation("user", "ada"));
  EXPECT_EQ(closed(plain), "4401 the token has been revoked");
  EXPECT_EQ(closed(v1Client), "4401 the token has been revoked");
  Client again = withToken(R"({"sub":"ada"})");
  EXPECT_EQ(closed(again), "4401 the token has been revoked");
  sync(bob);
}

TEST_F(RevocationTest, MayBeOfOneTokenOrOfThoseIssuedBefore) {
  startAll();
  Client first = withToken(R"({"sub":"ada","jti":"1","iat":1000})", false);
  Client second = withToken(R"({"sub":"ada","jti":"2","iat":2000})", false);
  sync(first);
  sync(second);
  revoke(revocation("token", "1"));
  EXPECT_EQ(closed(first), "4401 the token has been revoked");
  sync(second);
  second.send(R"({"cmd":"refresh","token":")" + token(R"({"sub":"ada","jti":"1"})") + "\"}");
  EXPECT_THAT(await(second, 1), ElementsAre(HasSubstr("the token has been revoked")));
  Value before = revocation("user", "ada");
  revoke(before.set("issued_before", 2001));
  EXPECT_EQ(closed(second), "4401 the token has been revoked");
  Client third = withToken(R"({"sub":"ada","iat":2001})", false);
  sync(third);
}

TEST_F(RevocationTest, AWorkerThatStartsLaterAndAChannelThatRestartsKnowIt) {
  startAll();
  revoke(revocation("user", "ada"));
  restartChannel();
  workers[0].reset();
  workers[0].emplace(loop, settings, channelUrl());
  // Connected before the worker has the revocation, or after: it ends in the same way.
  Client client = withToken(R"({"sub":"ada"})");
  EXPECT_EQ(closed(client), "4401 the token has been revoked");
}

}  // namespace
}  // namespace stormo::server
