#include "base/name_pattern.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(NamePattern, MatchesAWholeNameAsAShellMatchesAFileName) {
  EXPECT_TRUE(matchesPattern("*", ""));
  EXPECT_TRUE(matchesPattern("ticker.*", "ticker.eur"));
  EXPECT_FALSE(matchesPattern("ticker.*", "ticker"));
  EXPECT_FALSE(matchesPattern("ticker", "ticker.eur"));
  EXPECT_TRUE(matchesPattern("t?", "t1"));
  EXPECT_FALSE(matchesPattern("t?", "t12"));
  EXPECT_TRUE(matchesPattern("t[ab]", "tb"));
  EXPECT_TRUE(matchesPattern("*", "a/b"));
}

TEST(NamePattern, MatchesNamesWithZeroBytes) {
  EXPECT_TRUE(matchesPattern("a*c", std::string_view("a\0c", 3)));
  EXPECT_FALSE(matchesPattern("a", std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace stormo
