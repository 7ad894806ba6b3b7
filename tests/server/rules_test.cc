// Clients of both protocols on a server with rules.
#include "server/access_control.h"
#include "server/access_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RulesTest : public AccessTest {
 protected:
  void setRules(std::vector<AccessRule> rules) { settings.options.access.rules = std::move(rules); }
  /// "ok", or the code of the error.
  std::string joins(Client& client, const std::string& group) {
    return result(ask(client, R"({"id":1,"cmd":"join","group":")" + group + "\"}"));
  }
  std::string sends(Client& client, const std::string& group) {
    return result(ask(client, R"({"id":2,"cmd":"send","group":")" + group + R"(","message":"m"})"));
  }
  static std::string result(const std::string& reply) {
    const std::string word = brief({reply})[0];
    return word.substr(0, word.find(' '));
  }
  Client user(const std::string& claims) {
    Client client = withToken(claims);
    EXPECT_THAT(await(client, 1), ElementsAre(HasSubstr("welcome")));
    return client;
  }
};

TEST_F(RulesTest, EachMayDoWhatTheFirstRuleStates) {
  setRules({{.groups = "lobby", .join = Who::Anyone, .send = Who::Users},
            {.groups = "ticker.*", .join = Who::Anyone, .send = Who::Nobody},
            {.groups = "inbox.{user}", .join = Who::Users, .send = Who::Anyone},
            {.groups = "staff", .join = Who::Token, .send = Who::Token},
            {.groups = "secret", .join = Who::Nobody, .send = Who::Nobody}});
  start();
  // "j" if the client may join, "s" if it may send.
  const auto may = [&](Client client, const std::string& group) {
    const bool maySend = sends(client, group) == "ok";
    return std::string(joins(client, group) == "ok" ? "j" : "") + (maySend ? "s" : "");
  };
  struct {
    const char* group;
    const char* guest;
    const char* ada;
    const char* boss;
  } const table[] = {{"lobby", "j", "js", "js"},    {"ticker.1", "j", "j", "j"},
                     {"inbox.ada", "", "js", "js"}, {"staff", "", "", "js"},
                     {"secret", "", "", ""},        {"other", "", "", "js"}};
  for (const auto& [group, guest, ada, boss] : table) {
    EXPECT_EQ(may(request(""), group), guest) << group;
    EXPECT_EQ(may(user(R"({"sub":"ada"})"), group), ada) << group;
    EXPECT_EQ(may(user(R"({"sub":"boss","rights":[{"groups":"*"}]})"), group), boss) << group;
  }
}

TEST_F(RulesTest, WithoutKeysTheyRestrictAServerThatIsOpen) {
  settings.options.access.keys.clear();
  setRules({{.groups = "news", .send = Who::Nobody},
            {.groups = "hidden.*", .join = Who::Nobody, .send = Who::Nobody}});
  start();
  Client client = request("");
  EXPECT_EQ(joins(client, "news"), "ok");
  EXPECT_EQ(sends(client, "news"), "forbidden");
  EXPECT_EQ(joins(client, "hidden.1"), "forbidden");
  EXPECT_EQ(joins(client, "other"), "ok");
}

TEST_F(RulesTest, MessagesInAnEnvelopeStateTheirSender) {
  setRules({{.groups = "chat", .join = Who::Anyone, .send = Who::Anyone, .envelope = true},
            {.groups = "plain", .join = Who::Anyone, .send = Who::Anyone}});
  start();
  Client reader = request("", false);
  reader.send(R"({"cmd":"add_group","group_id":"chat"})");
  reader.send(R"({"cmd":"add_group","group_id":"plain"})");
  sync(reader);
  Client v1Reader = request("");
  EXPECT_EQ(joins(v1Reader, "chat"), "ok");
  settle();

  Client ada = user(R"({"sub":"a\"da"})");
  Client guest = request("", false);
  ask(ada, R"({"id":1,"cmd":"send","group":"chat","message":"{\"user\":\"bob\"}\n"})");
  EXPECT_THAT(await(reader, 1),
              ElementsAre(R"({"user":"a\"da","message":"{\"user\":\"bob\"}\n"})"));
  EXPECT_THAT(brief(await(v1Reader, 1)),
              ElementsAre(R"({"user":"a\"da","message":"{\"user\":\"bob\"}\n"})"));
  guest.send(R"({"cmd":"send_to_group","group_id":"chat","message":{"user":"ada"}})");
  EXPECT_THAT(await(reader, 1), ElementsAre(R"({"user":null,"message":"{\"user\":\"ada\"}"})"));
  guest.send(R"({"cmd":"send_to_group","group_id":"plain","message":"as it is"})");
  EXPECT_THAT(await(reader, 1), ElementsAre("as it is"));
}

TEST_F(RulesTest, TheProgramSeesTheMessageWithoutItsEnvelope) {
  setRules({{.groups = "chat", .join = Who::Anyone, .send = Who::Anyone, .envelope = true}});
  std::vector<std::string> seen;
  settings.prepare = [&](GroupServer& own) {
    own.maySend = [&](Connection&, std::string_view, std::string_view message) {
      seen.emplace_back(message);
      return message != "bad";
    };
  };
  start();
  Client guest = request("");
  EXPECT_EQ(sends(guest, "chat"), "ok");
  EXPECT_THAT(ask(guest, R"({"id":3,"cmd":"send","group":"chat","message":"bad"})"),
              HasSubstr("forbidden"));
  EXPECT_THAT(seen, ElementsAre("m", "bad"));
}

TEST_F(RulesTest, AUserWithTooManyConnectionsIsClosed) {
  settings.limits.connectionsPerUser = {.max = 2};
  start();
  Client one = user(R"({"sub":"ada"})");
  Client late = request("");
  Client two = user(R"({"sub":"ada"})");
  Client three = withToken(R"({"sub":"ada"})", false);
  EXPECT_EQ(closed(three), "4429 too many connections of this user");
  late.send(R"({"id":1,"cmd":"refresh","token":")" + token(R"({"sub":"ada"})") + "\"}");
  EXPECT_EQ(closed(late), "4429 too many connections of this user");
  Client bob = user(R"({"sub":"bob"})");
  one.socket.raw().close();
  settle();
  Client four = user(R"({"sub":"ada"})");
}

/// Whether clients without a token stay: those that have to leave do so at the time of the second.
TEST_F(RulesTest, AClientWithoutATokenStaysIfARuleAllowsItSomething) {
  settings.options.access.tokenTimeout = std::chrono::seconds(0);
  setRules({{.groups = "lobby", .join = Who::Anyone}});
  start();
  Client guest = request("");
  sync(guest);
  EXPECT_EQ(joins(guest, "lobby"), "ok");
}

TEST_F(RulesTest, AClientWithoutATokenIsClosedIfNoRuleAllowsItAnything) {
  settings.options.access.tokenTimeout = std::chrono::seconds(0);
  setRules({{.groups = "lobby", .join = Who::Users}});
  start();
  Client guest = request("");
  EXPECT_EQ(closed(guest), "4401 no token in time");
}

}  // namespace
}  // namespace stormo::server
