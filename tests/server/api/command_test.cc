#include "server/api/command.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

namespace stormo::server::api {
namespace {

using testing::HasSubstr;
using Kind = Command::Kind;

constexpr std::string_view kClient = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kNow = 1'800'000'000;

Command valid(Kind kind, std::string_view body) {
  auto read = readCommand(kind, body, kNow);
  if (const auto* problem = std::get_if<Problem>(&read)) ADD_FAILURE() << problem->message;
  return std::holds_alternative<Command>(read) ? std::get<Command>(std::move(read)) : Command{};
}

Problem refused(Kind kind, std::string_view body) {
  auto read = readCommand(kind, body, kNow);
  if (std::holds_alternative<Command>(read)) ADD_FAILURE() << "accepted: " << body;
  return std::holds_alternative<Problem>(read) ? std::get<Problem>(std::move(read)) : Problem{};
}

TEST(ApiCommand, APublishIsForOneOfSixTargets) {
  const std::pair<const char*, Audience> table[] = {
      {R"({"group":"news","message":"m"})", Audience::group("news")},
      {R"({"user":"ada","message":"m"})", Audience::user("ada")},
      {R"({"user":"8","message":"m"})", Audience::user("8")},
      {R"({"client":"0123456789abcdef0123456789abcdef","message":"m"})", Audience::client(kClient)},
      {R"({"all":true,"message":"m"})", Audience::everybody()},
  };
  for (const auto& [body, expected] : table) {
    const Command command = valid(Kind::Publish, body);
    EXPECT_THAT(command.to, testing::ElementsAre(expected)) << body;
    EXPECT_EQ(command.message, "m");
    EXPECT_FALSE(command.isList);
  }
  const Command several = valid(Kind::Publish, R"({"groups":["a","b"],"message":"m"})");
  EXPECT_THAT(several.to, testing::ElementsAre(Audience::group("a"), Audience::group("b")));
  EXPECT_TRUE(several.isList);
  const Command matching = valid(Kind::Publish, R"({"pattern":"room.*","message":"m"})");
  EXPECT_EQ(matching.pattern, "room.*");
  EXPECT_TRUE(matching.isList);
  EXPECT_TRUE(matching.to.empty());
}

TEST(ApiCommand, AMessageThatIsNoStringIsSentAsItsJsonText) {
  const Command command =
      valid(Kind::Publish, R"({"group":"g","message": {"type": "tick", "values": [1, 2.5]}})");
  EXPECT_EQ(command.message, R"({"type":"tick","values":[1,2.5]})");
  EXPECT_FALSE(command.isBinary);
}

TEST(ApiCommand, ABinaryMessageIsDecodedFromBase64) {
  for (const auto& [text, bytes] :
       {std::pair{"", ""}, {"AQ==", "\1"}, {"AQI=", "\1\2"}, {"AQID", "\1\2\3"}}) {
    const Command command =
        valid(Kind::Publish, R"({"group":"g","binary":")" + std::string(text) + R"("})");
    EXPECT_EQ(command.message, bytes);
    EXPECT_TRUE(command.isBinary);
  }
  for (const char* wrong : {"A", "AQ=", "A===", "A*ID", "AQ==AQ=="}) {
    const std::string body = R"({"group":"g","binary":")" + std::string(wrong) + R"("})";
    EXPECT_EQ(refused(Kind::Publish, body).field, "binary") << wrong;
  }
}

TEST(ApiCommand, ExceptNamesUsersAndClients) {
  const Command one = valid(Kind::Publish, R"({"all":true,"message":"m","except":{"user":"ada"}})");
  EXPECT_THAT(one.except, testing::ElementsAre(Audience::user("ada")));
  const Command two = valid(
      Kind::Publish,
      R"({"all":true,"message":"m","except":[{"user":"ada"},{"client":"0123456789abcdef0123456789abcdef"}]})");
  EXPECT_THAT(two.except, testing::ElementsAre(Audience::user("ada"), Audience::client(kClient)));
  for (const char* wrong : {R"("ada")", R"([{"group":"g"}])", R"([{"user":"a","client":"b"}])",
                            R"([{}])", R"([{"user":1}])", R"({"client":"c"})"}) {
    const std::string body = R"({"all":true,"message":"m","except":)" + std::string(wrong) + "}";
    EXPECT_EQ(refused(Kind::Publish, body).field, "except") << wrong;
  }
}

TEST(ApiCommand, WrongFieldsOfAPublishAreNamed) {
  const std::tuple<const char*, const char*, const char*> table[] = {
      {R"({"message":"m"})", "", "exactly one of 'group'"},
      {R"({"group":"g","user":"u","message":"m"})", "", "exactly one of 'group'"},
      {R"({"group":"g"})", "", "exactly one of 'message' and 'binary'"},
      {R"({"group":"g","message":"m","binary":""})", "", "exactly one of 'message'"},
      {R"({"group":7,"message":"m"})", "group", "must be a string"},
      {R"({"group":"","message":"m"})", "group", "1 to 255 bytes"},
      {R"({"group":"\u0000u","message":"m"})", "group", "not zero"},
      {R"({"groups":[],"message":"m"})", "groups", "a list of 1 to 1000"},
      {R"({"groups":"a","message":"m"})", "groups", "a list of 1 to 1000"},
      {R"({"groups":["a",""],"message":"m"})", "groups[1]", "name of a group"},
      {R"({"groups":["a","a"],"message":"m"})", "groups[1]", "occurs twice"},
      {R"({"pattern":"","message":"m"})", "pattern", "must not be empty"},
      {R"({"user":"","message":"m"})", "user", "1 to 253 bytes"},
      {R"({"all":false,"message":"m"})", "all", "must be true"},
      {R"({"group":"g","mesage":"m","message":"m"})", "mesage", "is unknown here"},
      {R"(["group"])", "", "must be a JSON object"},
      {"7", "", "must be a JSON object"},
  };
  for (const auto& [body, field, message] : table) {
    const Problem problem = refused(Kind::Publish, body);
    EXPECT_EQ(problem.status, 400) << body;
    EXPECT_EQ(problem.code, "invalid_field") << body;
    EXPECT_EQ(problem.field, field) << body;
    EXPECT_THAT(problem.message, HasSubstr(message)) << body;
  }
  EXPECT_EQ(refused(Kind::Publish, "{").code, "invalid_json");
  EXPECT_EQ(refused(Kind::Publish, "").code, "invalid_json");
}

TEST(ApiCommand, JoinAndLeaveNeedClientsAndAGroup) {
  const Command join = valid(Kind::Join, R"({"user":"ada","group":"chat"})");
  EXPECT_THAT(join.to, testing::ElementsAre(Audience::user("ada")));
  EXPECT_EQ(join.group, "chat");
  EXPECT_EQ(refused(Kind::Join, R"({"user":"ada"})").field, "group");
  EXPECT_THAT(refused(Kind::Leave, R"({"group":"chat"})").message,
              HasSubstr("exactly one of 'user', 'client' and 'all'"));
}

TEST(ApiCommand, ADisconnectHasACodeThatMayBeSent) {
  const Command plain = valid(Kind::Disconnect, R"({"user":"ada"})");
  EXPECT_EQ(plain.code, CloseCode::PolicyViolation);
  const Command full =
      valid(Kind::Disconnect,
            R"({"client":"0123456789abcdef0123456789abcdef","code":4000,"reason":"bye"})");
  EXPECT_EQ(full.code, CloseCode{4000});
  EXPECT_EQ(full.reason, "bye");
  for (const int code : {0, 999, 1002, 1005, 1006, 1007, 1009, 1010, 1014, 1015, 2999, 5000}) {
    const std::string body = R"({"user":"ada","code":)" + std::to_string(code) + "}";
    EXPECT_EQ(refused(Kind::Disconnect, body).field, "code") << code;
  }
  const std::string longReason = R"({"user":"ada","reason":")" + std::string(124, 'x') + R"("})";
  EXPECT_EQ(refused(Kind::Disconnect, longReason).field, "reason");
}

TEST(ApiCommand, AnInfoIsAnObjectOrNothing) {
  EXPECT_EQ(valid(Kind::Info, R"({"user":"ada","info":{"a":1}})").info, R"({"a":1})");
  EXPECT_EQ(valid(Kind::Info, R"({"user":"ada","info":{}})").info, "{}");
  EXPECT_EQ(valid(Kind::Info, R"({"user":"ada","info":null})").info, "");
  EXPECT_EQ(refused(Kind::Info, R"({"user":"ada","info":[1]})").field, "info");
  const std::string large = R"({"user":"ada","info":{"a":")" + std::string(4096, 'x') + R"("}})";
  EXPECT_EQ(refused(Kind::Info, large).field, "info");
}

TEST(ApiCommand, ARevocationEndsAtATime) {
  const Command user = valid(Kind::Revoke, R"({"user":"ada","for_seconds":60})");
  EXPECT_EQ(user.revocation.user, "ada");
  EXPECT_EQ(user.revocation.until, kNow + 60);
  EXPECT_FALSE(user.revocation.issuedBefore);
  const Command token = valid(Kind::Revoke, R"({"token":"j","until":5,"issued_before":4})");
  EXPECT_EQ(token.revocation.token, "j");
  EXPECT_EQ(token.revocation.until, 5);
  EXPECT_EQ(token.revocation.issuedBefore, 4);
  EXPECT_THAT(refused(Kind::Revoke, R"({"user":"ada"})").message, HasSubstr("needs 'until'"));
  EXPECT_THAT(refused(Kind::Revoke, R"({"until":5})").message, HasSubstr("'user' and 'token'"));
}

TEST(ApiBatch, HasCommandsInTheirOrder) {
  auto read = readBatch(
      R"({"commands":[{"cmd":"join","user":"ada","group":"g"},
                      {"cmd":"publish","group":"g","message":"m"}]})",
      kNow);
  ASSERT_TRUE(std::holds_alternative<std::vector<Command>>(read));
  const auto& commands = std::get<std::vector<Command>>(read);
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0].kind, Kind::Join);
  EXPECT_EQ(commands[1].kind, Kind::Publish);
}

TEST(ApiBatch, AWrongFieldIsNamedWithItsPlace) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"commands":[]})", "commands"},
      {R"({"commands":{}})", "commands"},
      {R"({})", "commands"},
      {R"({"command":[]})", "commands"},
      {R"({"commands":[{"cmd":"publish","group":"g","message":"m"},{"cmd":"fly"}]})",
       "commands[1].cmd"},
      {R"({"commands":[{"group":"g"}]})", "commands[0].cmd"},
      {R"({"commands":[7]})", "commands[0]"},
      {R"({"commands":[{"cmd":"publish","group":7,"message":"m"}]})", "commands[0].group"},
      {R"({"commands":[{"cmd":"publish","group":"g"}]})", "commands[0]"},
  };
  for (const auto& [body, field] : table) {
    auto read = readBatch(body, kNow);
    ASSERT_TRUE(std::holds_alternative<Problem>(read)) << body;
    EXPECT_EQ(std::get<Problem>(read).field, field) << body;
  }
}

}  // namespace
}  // namespace stormo::server::api
