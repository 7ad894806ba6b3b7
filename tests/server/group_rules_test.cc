#include "server/group_rules.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace stormo::server {
namespace {

using testing::HasSubstr;

TEST(GroupRules, TheFirstThatMatchesDecides) {
  const GroupRules rules({{.groups = "chat.admin", .join = Who::Nobody},
                          {.groups = "chat.*", .join = Who::Users, .send = Who::Nobody},
                          {.groups = "inbox.{user}", .join = Who::Users, .envelope = true},
                          {.groups = "inbox.*", .join = Who::Nobody, .send = Who::Users}},
                         true);
  EXPECT_EQ(rules.of("chat.admin", "ada").join, Who::Nobody);
  EXPECT_EQ(rules.of("chat.1", "ada").join, Who::Users);
  EXPECT_EQ(rules.of("chat.1", "").send, Who::Nobody);
  EXPECT_EQ(rules.of("inbox.ada", "ada").join, Who::Users);
  EXPECT_EQ(rules.of("inbox.ada", "bob").join, Who::Nobody);
  EXPECT_EQ(rules.of("inbox.ada", "").send, Who::Users);
  EXPECT_TRUE(rules.of("inbox.ada", "ada").envelope);
  EXPECT_FALSE(rules.of("inbox.ada", "bob").envelope);
  EXPECT_TRUE(rules.haveEnvelopes());
  EXPECT_FALSE(rules.allowAnyone());
}

TEST(GroupRules, WhatNoRuleStatesDependsOnKeys) {
  const std::vector<AccessRule> given = {{.groups = "chat", .join = Who::Nobody}};
  const GroupRules withKeys(given, true);
  EXPECT_EQ(withKeys.of("chat", "").send, Who::Token);
  EXPECT_EQ(withKeys.of("news", "").join, Who::Token);
  EXPECT_FALSE(withKeys.allowAnyone());
  const GroupRules without(given, false);
  EXPECT_EQ(without.of("chat", "").send, Who::Anyone);
  EXPECT_EQ(without.of("news", "").join, Who::Anyone);
  EXPECT_TRUE(without.allowAnyone());
}

TEST(GroupRules, ARuleThatCannotBeUsedIsReported) {
  const std::pair<AccessRule, std::string> table[] = {
      {{.groups = "", .join = Who::Anyone}, "no pattern of groups"},
      {{.groups = "a"}, "the rule 'a' states nothing: join, send or envelope"},
      {{.groups = "a", .join = Who::Users}, "the rule 'a' is for clients with tokens"},
      {{.groups = "a", .send = Who::Token}, "the rule 'a' is for clients with tokens"},
      {{.groups = "a.{user}", .join = Who::Anyone}, "users need a key of tokens"},
  };
  for (const auto& [rule, expected] : table) {
    EXPECT_THAT([&] { GroupRules({rule}, false); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace stormo::server
