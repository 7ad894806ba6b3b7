#include "access/revocations.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo::access {
namespace {

using Of = Revocations::Of;

Token tokenOf(std::string user, std::string id = {}, std::optional<UnixSeconds> issued = {}) {
  Token token;
  token.user = std::move(user);
  token.id = std::move(id);
  token.issued = issued;
  return token;
}

TEST(Revocations, RevokeTheTokensOfAUserOrOneById) {
  Revocations revocations;
  EXPECT_FALSE(revocations.revoke(tokenOf("ada", "1"), 50));
  EXPECT_TRUE(revocations.add({.of = Of::User, .name = "ada", .until = 100}, 50));
  EXPECT_TRUE(revocations.add({.of = Of::Token, .name = "7", .until = 100}, 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("ada", "1"), 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("bob", "7"), 50));
  EXPECT_FALSE(revocations.revoke(tokenOf("bob", "8"), 50));
  EXPECT_FALSE(revocations.revoke(tokenOf("7", "ada"), 50));
  EXPECT_FALSE(revocations.revoke(tokenOf("bob"), 50));
}

TEST(Revocations, AreForgottenAtTheirTime) {
  Revocations revocations;
  revocations.add({.name = "ada", .until = 100}, 50);
  EXPECT_TRUE(revocations.revoke(tokenOf("ada"), 99));
  EXPECT_FALSE(revocations.revoke(tokenOf("ada"), 100));
  revocations.add({.name = "bob", .until = 200}, 100);
  EXPECT_EQ(revocations.size(), 1u);
}

TEST(Revocations, MayBeForTokensThatWereIssuedBeforeATime) {
  Revocations revocations;
  revocations.add({.name = "ada", .issuedBefore = 40, .until = 100}, 50);
  EXPECT_TRUE(revocations.revoke(tokenOf("ada", "", 39), 50));
  EXPECT_FALSE(revocations.revoke(tokenOf("ada", "", 40), 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("ada"), 50)) << "without a time of issue";
}

TEST(Revocations, ALaterOneReplacesAndMayEndAnEarlierOne) {
  Revocations revocations;
  revocations.add({.name = "ada", .until = 100}, 50);
  revocations.add({.name = "ada", .issuedBefore = 10, .until = 200}, 50);
  EXPECT_EQ(revocations.size(), 1u);
  EXPECT_FALSE(revocations.revoke(tokenOf("ada", "", 20), 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("ada", "", 5), 150));
  revocations.add({.name = "ada", .until = 50}, 50);
  EXPECT_EQ(revocations.size(), 0u);
  EXPECT_FALSE(revocations.revoke(tokenOf("ada"), 50));
}

TEST(Revocations, AreBounded) {
  Revocations revocations(3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(revocations.add({.name = std::to_string(i), .until = 100 + i}, 50));
  }
  EXPECT_FALSE(revocations.add({.of = Of::Token, .name = "x", .until = 500}, 50));
  EXPECT_EQ(revocations.size(), 3u);
  EXPECT_FALSE(revocations.revoke(tokenOf("0"), 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("1"), 50));
  EXPECT_TRUE(revocations.revoke(tokenOf("a", "x"), 50));
}

}  // namespace
}  // namespace stormo::access
