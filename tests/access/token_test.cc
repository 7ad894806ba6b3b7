#include "access/token.h"

#include <gmock/gmock.h>

#include <utility>

namespace stormo::access {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Token claims(std::string_view json) {
  std::string wrong;
  auto token = readClaims(json, wrong);
  EXPECT_TRUE(token) << json << ": " << wrong;
  return token.value_or(Token{});
}

TEST(Claims, AllAreRead) {
  const Token token = claims(
      R"({"sub":"ada","jti":"t1","iss":"https://id.example","aud":["chat","other"],"exp":1700000000,)"
      R"("nbf":1600000000.9,"iat":1.6e9,"info":{"name":"Ada", "age":36},"groups":["news",7],)"
      R"("rights":[{"groups":"chat.*","may":["join","send"]},{"groups":"inbox.{user}"}],"more":[1]})");
  EXPECT_EQ(token.user, "ada");
  EXPECT_EQ(token.id, "t1");
  EXPECT_EQ(token.issuer, "https://id.example");
  EXPECT_THAT(token.audience, ElementsAre("chat", "other"));
  EXPECT_EQ(token.expires, 1'700'000'000);
  EXPECT_EQ(token.notBefore, 1'600'000'000);
  EXPECT_EQ(token.issued, 1'600'000'000);
  EXPECT_EQ(token.info, R"({"name":"Ada","age":36})");
  EXPECT_THAT(token.groups, ElementsAre("news", "7"));
  EXPECT_TRUE(token.rights.allow(May::Send, "chat.1"));
  EXPECT_FALSE(token.rights.allow(May::History, "chat.1"));
  EXPECT_TRUE(token.rights.allow(May::History, "inbox.ada"));
  EXPECT_FALSE(token.rights.allow(May::Join, "inbox.bob"));
}

TEST(Claims, OnlyTheUserIsNeeded) {
  const Token token = claims(R"({"sub":12})");
  EXPECT_EQ(token.user, "12");
  EXPECT_THAT(token.audience, IsEmpty());
  EXPECT_EQ(token.expires, std::nullopt);
  EXPECT_EQ(token.info, "");
  EXPECT_TRUE(token.rights.empty());
  EXPECT_THAT(claims(R"({"sub":"a","aud":"chat"})").audience, ElementsAre("chat"));
}

TEST(Claims, TheWrongOneIsNamed) {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},
      {"[]", ""},
      {R"({"sub":"a"} )"
       "x",
       ""},
      {"{}", "sub"},
      {R"({"sub":""})", "sub"},
      {R"({"sub":null})", "sub"},
      {R"({"sub":1.5})", "sub"},
      {R"({"sub":")" + std::string(257, 'a') + R"("})", "sub"},
      {R"({"sub":"a\u0000b"})", "sub"},
      {R"({"sub":"a\nb"})", "sub"},
      {R"({"sub":"a","jti":1})", "jti"},
      {R"({"sub":"a","iss":["x"]})", "iss"},
      {R"({"sub":"a","aud":{}})", "aud"},
      {R"({"sub":"a","aud":[{}]})", "aud"},
      {R"({"sub":"a","exp":"1700000000"})", "exp"},
      {R"({"sub":"a","exp":null})", "exp"},
      {R"({"sub":"a","exp":1e400})", "exp"},
      {R"({"sub":"a","exp":1e16})", "exp"},
      {R"({"sub":"a","nbf":true})", "nbf"},
      {R"({"sub":"a","iat":[]})", "iat"},
      {R"({"sub":"a","info":"text"})", "info"},
      {R"({"sub":"a","info":"{}"})", "info"},
      {R"({"sub":"a","info":[]})", "info"},
      {R"({"sub":"a","groups":"news"})", "groups"},
      {R"({"sub":"a","groups":[1.5]})", "groups"},
      {R"({"sub":"a","groups":[["news"]]})", "groups"},
      {R"({"sub":"a","groups":[""]})", "groups"},
      {R"({"sub":"a","groups":[")" + std::string(256, 'g') + R"("]})", "groups"},
      {R"({"sub":"a","rights":{}})", "rights"},
      {R"({"sub":"a","rights":["chat.*"]})", "rights"},
      {R"({"sub":"a","rights":[{"may":["join"]}]})", "rights"},
      {R"({"sub":"a","rights":[{"groups":"*","may":"join"}]})", "rights"},
      {R"({"sub":"a","rights":[{"groups":"*","may":{}}]})", "rights"},
      {R"({"sub":"a","rights":[{"groups":"*","may":["fly"]}]})", "rights"},
      {R"({"sub":"a","rights":[{"groups":"*","may":[1]}]})", "rights"},
  };
  for (const auto& [json, expected] : table) {
    std::string wrong = "untouched";
    EXPECT_FALSE(readClaims(json, wrong)) << json;
    EXPECT_EQ(wrong, expected) << json;
  }
}

// A misspelt right must not grant all.
TEST(Claims, AnEmptyListOfRightsGrantsNothing) {
  const Token token = claims(R"({"sub":"a","rights":[{"groups":"*","may":[]}]})");
  EXPECT_FALSE(token.rights.allow(May::Join, "news"));
}

}  // namespace
}  // namespace stormo::access
