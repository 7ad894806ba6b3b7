#include "access/rights.h"

#include <gtest/gtest.h>

#include "base/name_pattern.h"

namespace stormo::access {
namespace {

Rights granting(std::string_view pattern, std::string_view user, std::uint8_t may = kMayAll) {
  Rights rights;
  rights.grant(pattern, may, user);
  return rights;
}

TEST(Rights, NothingIsAllowedWithoutAGrant) {
  const Rights none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.allow(May::Join, ""));
}

TEST(Rights, AGrantIsForItsPatternAndPurpose) {
  Rights rights;
  rights.grant("chat.*", mayNamed("join") | mayNamed("history"), "ada");
  rights.grant("chat.general", mayNamed("send"), "ada");
  EXPECT_TRUE(rights.allow(May::Join, "chat.general"));
  EXPECT_TRUE(rights.allow(May::History, "chat.other"));
  EXPECT_TRUE(rights.allow(May::Send, "chat.general"));
  EXPECT_FALSE(rights.allow(May::Send, "chat.other"));
  EXPECT_FALSE(rights.allow(May::Presence, "chat.general"));
  EXPECT_FALSE(rights.allow(May::Join, "news"));
}

// Names and prefixes are compared without a search: as matchesPattern() does.
TEST(Rights, AllFormsOfPatternsMatchAsPatternsDo) {
  for (const char* pattern : {"", "*", "a", "a*", "a**", "*a", "a*b", "a?", "[ab]", "a\\*", "**"}) {
    for (const char* group : {"", "a", "b", "ab", "aab", "a*", "a*b", "ba"}) {
      EXPECT_EQ(granting(pattern, "u").allow(May::Join, group), matchesPattern(pattern, group))
          << pattern << " " << group;
    }
  }
}

TEST(Rights, TheUserStandsForItselfInAPattern) {
  const Rights rights = granting("inbox.{user}.*", "ada");
  EXPECT_TRUE(rights.allow(May::Join, "inbox.ada.1"));
  EXPECT_FALSE(rights.allow(May::Join, "inbox.bob.1"));
  EXPECT_TRUE(granting("{user}-{user}", "a").allow(May::Join, "a-a"));
}

TEST(Rights, NoUserIsAWildcard) {
  for (const char* user : {"*", "?", "[a-z]", "\\", "a*", "{user}", "[!x]", "]", "\\*"}) {
    const Rights rights = granting("inbox.{user}", user);
    EXPECT_TRUE(rights.allow(May::Join, std::string("inbox.") + user)) << user;
    for (const char* other : {"a", "ab", "ada", "", "z"}) {
      EXPECT_FALSE(rights.allow(May::Join, std::string("inbox.") + other)) << user;
    }
  }
}

TEST(Rights, WithoutAUserAPatternForUsersMatchesNothing) {
  const Rights rights = granting("inbox.{user}", "");
  EXPECT_FALSE(rights.allow(May::Join, "inbox."));
  EXPECT_FALSE(rights.allow(May::Join, "inbox.{user}"));
}

TEST(Rights, GrantsAreWrittenForPeople) {
  Rights rights;
  rights.grant("chat.*", kMayAll, "ada");
  rights.grant("in?box.{user}", mayNamed("join") | mayNamed("send"), "ada");
  EXPECT_EQ(rights.texts(), (std::vector<std::string>{"chat.* join, send, history, presence",
                                                      "in?box.ada join, send"}));
}

TEST(MayNamed, KnowsFourNames) {
  EXPECT_EQ(mayNamed("join") | mayNamed("send") | mayNamed("history") | mayNamed("presence"),
            kMayAll);
  EXPECT_EQ(mayNamed("Join"), 0);
  EXPECT_EQ(mayNamed(""), 0);
}

}  // namespace
}  // namespace stormo::access
