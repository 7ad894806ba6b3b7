#include "access/group_pattern.h"

#include <gtest/gtest.h>

#include "base/name_pattern.h"

namespace stormo::access {
namespace {

TEST(GroupPattern, MatchesAsPatternsDo) {
  for (const char* pattern : {"", "*", "a", "a*", "a**", "*a", "a*b", "a?", "[ab]", "a\\*", "**",
                              "a*a", "a?*b", "[ab", "a[]b", "a\\b", "?b", "[!a]*b", "a\\"}) {
    for (const char* group :
         {"", "a", "b", "ab", "aab", "a*", "a*b", "ba", "aa", "[ab", "a[]b", "bb", "axb", "a\\"}) {
      EXPECT_EQ(GroupPattern(pattern).matches(group), matchesPattern(pattern, group))
          << pattern << " " << group;
    }
  }
}

TEST(UserPattern, TheUserStandsForItself) {
  const std::pair<const char*, const char*> table[] = {
      {"inbox.{user}", "inbox.ada"},
      {"inbox.{user}.*", "inbox.ada.1"},
      {"{user}", "ada"},
      {"{user}*", "ada.x"},
      {"{user}-{user}", "ada-ada"},
      {"*.{user}", "x.ada"},
      {"[ab].{user}.?", "b.ada.1"},
      {"a{user}{user}*", "aadaadaz"},
      {"inbox.{user}.chat", "inbox.ada.chat"},
  };
  for (const auto& [text, group] : table) {
    const UserPattern pattern(text);
    EXPECT_TRUE(pattern.matches(group, "ada")) << text;
    EXPECT_FALSE(pattern.matches(group, "bob")) << text;
    EXPECT_FALSE(pattern.matches(group, "")) << text;
    EXPECT_FALSE(pattern.matches(std::string("-") + group, "ada") && text[0] != '*') << text;
  }
  EXPECT_FALSE(UserPattern("inbox.{user}").matches("inbox.adam", "ada"));
  EXPECT_FALSE(UserPattern("inbox.{user}.c").matches("inbox.ada.cd", "ada"));
}

TEST(UserPattern, NoUserIsAWildcard) {
  for (const char* text : {"inbox.{user}", "*inbox.{user}"}) {
    for (const char* user : {"*", "?", "[a-z]", "\\", "a*", "{user}", "[!x]", "]", "\\*"}) {
      const UserPattern pattern(text);
      EXPECT_TRUE(pattern.matches(std::string("inbox.") + user, user)) << text << user;
      for (const char* other : {"a", "ab", "ada", "", "z"}) {
        EXPECT_FALSE(pattern.matches(std::string("inbox.") + other, user)) << text << user;
      }
    }
  }
}

TEST(UserPattern, WithoutAPlaceItIsForEveryUser) {
  EXPECT_TRUE(UserPattern("chat.*").matches("chat.1", ""));
  EXPECT_TRUE(UserPattern("chat.*").matches("chat.1", "ada"));
  EXPECT_FALSE(UserPattern("chat.*").matches("news", "ada"));
}

}  // namespace
}  // namespace stormo::access
