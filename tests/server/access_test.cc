// Clients of both protocols on a server with keys.
#include <algorithm>
#include <chrono>

#include "server/access_control.h"
#include "server/access_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(AccessTest, WithoutATokenNothingIsAllowed) {
  start();
  Client v1Client = request("", true);
  Client plain = request("", false);
  EXPECT_THAT(ask(v1Client, R"({"id":1,"cmd":"join","group":"news"})"), HasSubstr("forbidden"));
  EXPECT_THAT(ask(v1Client, R"({"id":2,"cmd":"send","group":"news","message":"m"})"),
              HasSubstr("forbidden"));
  EXPECT_THAT(ask(plain, R"({"cmd":"add_group","group_id":"news"})"), HasSubstr("forbidden"));
  EXPECT_THAT(ask(plain, R"({"cmd":"send_to_group","group_id":"news","message":"m"})"),
              HasSubstr("forbidden"));
}

TEST_F(AccessTest, ATokenAllowsWhatItStates) {
  start();
  Client client = withToken(
      R"({"sub":"ada","exp":4000000000,"groups":["news"],"rights":[{"groups":"chat.*","may":["join"]},)"
      R"({"groups":"inbox.{user}"}]})");
  EXPECT_THAT(await(client, 1),
              ElementsAre(testing::MatchesRegex(
                  R"(\{"event":"welcome","client":"[A-Za-z0-9_-]{32}","user":"ada",)"
                  R"("groups":\["news"\],"expires":4000000000\})")));
  const auto result = [&](const std::string& command) { return brief({ask(client, command)})[0]; };
  EXPECT_EQ(result(R"({"id":1,"cmd":"join","group":"news"})"), "ok 1");
  EXPECT_EQ(result(R"({"id":2,"cmd":"join","group":"chat.1"})"), "ok 2");
  EXPECT_EQ(result(R"({"id":3,"cmd":"join","group":"inbox.ada"})"), "ok 3");
  EXPECT_EQ(result(R"({"id":4,"cmd":"join","group":"inbox.bob"})"), "forbidden");
  EXPECT_EQ(result(R"({"id":5,"cmd":"send","group":"chat.1","message":"m"})"), "forbidden");
  EXPECT_EQ(result(R"({"id":6,"cmd":"send","group":"news","message":"m"})"), "forbidden");
  EXPECT_EQ(result(R"({"id":7,"cmd":"leave","group":"news"})"), "ok 7");
}

TEST_F(AccessTest, TheRulesOfTheProgramCountAsWell) {
  settings.prepare = [](GroupServer& own) {
    own.mayJoin = [](Connection& client, std::string_view group) {
      return userOf(client) == "ada" && infoOf(client) == R"({"role":1})" && group != "chat.2";
    };
  };
  start();
  const std::string rights = R"("rights":[{"groups":"chat.*"}],"info":{"role":1}})";
  Client ada = withToken(R"({"sub":"ada",)" + rights);
  Client bob = withToken(R"({"sub":"bob",)" + rights);
  EXPECT_THAT(await(ada, 1), ElementsAre(HasSubstr(R"("user":"ada","groups":[]})")));
  EXPECT_THAT(await(bob, 1), ElementsAre(HasSubstr("welcome")));
  EXPECT_THAT(ask(ada, R"({"id":1,"cmd":"join","group":"chat.1"})"), HasSubstr("true"));
  EXPECT_THAT(ask(ada, R"({"id":2,"cmd":"join","group":"chat.2"})"), HasSubstr("forbidden"));
  EXPECT_THAT(ask(bob, R"({"id":1,"cmd":"join","group":"chat.1"})"), HasSubstr("forbidden"));
}

TEST_F(AccessTest, GroupCommandsJoinTheGroupsOfTheToken) {
  start();
  Client member = withToken(R"({"sub":"ada","groups":["news"]})", false);
  Client sender = withToken(R"({"sub":"bob","rights":[{"groups":"news","may":["send"]}]})", false);
  sync(member);
  settle();
  sender.send(R"({"cmd":"send_to_group","group_id":"news","message":"hello"})");
  EXPECT_THAT(await(member, 1), ElementsAre("hello"));
}

TEST_F(AccessTest, ATokenThatIsNotAcceptedClosesWithItsReason) {
  start();
  const std::pair<std::string, std::string> table[] = {
      {token(R"({"sub":"ada"})", std::string(32, 'x')), "4401 the token's signature is not valid"},
      {token(R"({"sub":"ada","exp":1000000000})"), "4401 the token has expired"},
      {token(R"({"exp":4000000000})"), "4401 a claim of the token is missing or malformed: sub"},
      {"no-token", "4401 the token is malformed"},
  };
  for (const auto& [text, expected] : table) {
    for (const bool speaksV1 : {true, false}) {
      Client client = request("token=" + text, speaksV1);
      EXPECT_EQ(closed(client), expected);
      EXPECT_THAT(client.all(), IsEmpty());
    }
  }
}

TEST_F(AccessTest, TheFirstMessageMayBeTheToken) {
  start();
  const std::string claims = R"({"sub":"ada","groups":["news"],"rights":[{"groups":"news"}]})";
  Client v1Client = request("", true);
  Client plain = request("", false);
  EXPECT_THAT(ask(v1Client, R"({"id":1,"cmd":"refresh","token":")" + token(claims) + "\"}"),
              testing::MatchesRegex(R"(\{"id":1,"ok":true,"client":"[A-Za-z0-9_-]{32}",)"
                                    R"("user":"ada","groups":\["news"\]\})"));
  plain.send(R"({"cmd":"refresh","token":")" + token(claims) + "\"}");
  sync(plain);
  settle();
  v1Client.send(R"({"id":2,"cmd":"send","group":"news","message":"hello"})");
  EXPECT_THAT(await(plain, 1), ElementsAre("hello"));
}

TEST_F(AccessTest, ARefusedTokenLeavesTheEarlierOne) {
  start();
  Client client = withToken(R"({"sub":"ada","rights":[{"groups":"chat"}]})");
  EXPECT_THAT(await(client, 1), ElementsAre(HasSubstr("welcome")));
  const auto refresh = [&](const std::string& text) {
    return ask(client, R"({"id":9,"cmd":"refresh","token":")" + text + "\"}");
  };
  EXPECT_THAT(refresh("no-token"),
              HasSubstr(R"("code":"invalid_token","message":"the token is mal)"));
  EXPECT_THAT(refresh(token(R"({"sub":"bob"})")), HasSubstr("the token is of another user"));
  EXPECT_THAT(ask(client, R"({"id":1,"cmd":"join","group":"chat"})"), HasSubstr("true"));
  EXPECT_THAT(refresh(token(R"({"sub":"ada"})")), HasSubstr("true"));
  EXPECT_THAT(ask(client, R"({"id":2,"cmd":"send","group":"chat","message":"m"})"),
              HasSubstr("forbidden"));
}

TEST_F(AccessTest, AServerWithoutKeysTakesNoTokens) {
  settings.options.access.keys.clear();
  start();
  Client client = request("token=no-token");
  EXPECT_THAT(ask(client, R"({"id":1,"cmd":"join","group":"news"})"), HasSubstr("true"));
  EXPECT_THAT(ask(client, R"({"id":2,"cmd":"refresh","token":"x"})"),
              HasSubstr("this server takes no tokens"));
}

TEST_F(AccessTest, AKeyThatCannotBeUsedIsReported) {
  const std::pair<TokenKey, std::string> table[] = {
      {{}, "a secret, a public key or a key set"},
      {{.secret = kSecret, .keySet = "{}"}, "a secret, a public key or a key set"},
      {{.secret = "short"}, "32 bytes"},
      {{.publicKey = "none"}, "no public key"},
      {{.keySet = "{}"}, "list of 'keys'"},
      {{.secret = kSecret, .algorithms = {"none"}}, "unknown algorithm 'none'"},
      {{.secret = kSecret, .algorithms = {"RS256"}}, "none of its algorithms"},
  };
  for (const auto& [key, expected] : table) {
    Worker worker("websocket://127.0.0.1:0");
    EXPECT_THAT([&] { AccessControl(worker, {.keys = {key}}); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr(expected)));
  }
}

/// The control of its own clients, at a time that the test sets.
class AccessTime : public AccessTest {
 protected:
  void startAt(access::UnixSeconds time) {
    AccessOptions options = settings.options.access;
    options.notice = std::chrono::seconds(60);
    options.grace = std::chrono::seconds(10);
    options.tokenTimeout = std::chrono::seconds(5);
    settings.options.access.keys.clear();
    start();
    Worker& worker = workers[0]->worker;
    control.emplace(worker, options);
    now = time;
    control->clock = [this] { return now; };
    control->onExpiring = [this](Connection&, std::chrono::seconds left) {
      noticed.push_back(left.count());
    };
    worker.onWebSocketConnect = [this](Connection& client, WebSocketHandshake& handshake) {
      control->onHandshake(client, handshake);
    };
    worker.onWebSocketOpen = [this](Connection& client) { (void)control->onOpen(client); };
    worker.onMessage = [this](Connection& client, Message message) {
      EXPECT_EQ(client.send(control->refresh(client, message.data) + '.'), SendStatus::Queued);
    };
    worker.onClose = [this](Connection& client) { control->onClose(client); };
  }
  void TearDown() override { workers[0]->worker.onClose = {}; }

  access::UnixSeconds now = 0;
  std::vector<std::int64_t> noticed;
  std::optional<AccessControl> control;
};

TEST_F(AccessTime, ATokenThatExpiresIsNoticedThenClosed) {
  startAt(1000);
  Client client = withToken(R"({"sub":"ada","exp":1100})", false);
  now = 1039;
  settle();
  EXPECT_THAT(noticed, IsEmpty());
  now = 1045;
  EXPECT_TRUE(turnUntil([&] { return !noticed.empty(); }));
  EXPECT_THAT(noticed, ElementsAre(55));
  now = 1110;
  EXPECT_EQ(closed(client), "4401 the token has expired");
  EXPECT_THAT(noticed, ElementsAre(55));
}

TEST_F(AccessTime, ARefreshBeginsANewTime) {
  startAt(1000);
  Client client = withToken(R"({"sub":"ada","exp":1100})", false);
  now = 1045;
  EXPECT_TRUE(turnUntil([&] { return !noticed.empty(); }));
  client.send(token(R"({"sub":"ada","exp":2000})"));
  EXPECT_THAT(await(client, 1), ElementsAre("."));
  now = 1950;
  EXPECT_TRUE(turnUntil([&] { return noticed.size() == 2; }));
  EXPECT_THAT(noticed, ElementsAre(55, 50));
  client.send(token(R"({"sub":"ada"})"));  // it does not expire
  EXPECT_THAT(await(client, 1), ElementsAre("."));
  client.send(token(R"({"sub":"ada","exp":2001})"));  // a shorter one
  EXPECT_THAT(await(client, 1), ElementsAre("."));
  now = 2011;
  EXPECT_EQ(closed(client), "4401 the token has expired");
}

TEST_F(AccessTime, AClientWithoutATokenHasSomeTimeToShowOne) {
  startAt(1000);
  Client silent = request("", false);
  Client late = request("", false);
  late.send(token(R"({"sub":"ada"})"));
  EXPECT_THAT(await(late, 1), ElementsAre("."));
  now = 1005;
  EXPECT_EQ(closed(silent), "4401 no token in time");
  late.send(token(R"({"sub":"ada"})"));
  EXPECT_THAT(await(late, 1), ElementsAre("."));
}

}  // namespace
}  // namespace stormo::server
