#include "base/nearest_word.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(NearestWord, FindsTheWordThatIsMisspelledAndNothingElse) {
  const std::vector<std::string> commands = {"start",  "stop",   "restart",
                                             "reload", "status", "connections"};
  EXPECT_EQ(nearestWord("strat", commands), "start");
  EXPECT_EQ(nearestWord("reloud", commands), "reload");
  EXPECT_EQ(nearestWord("conections", commands), "connections");
  EXPECT_EQ(nearestWord("publish", commands), std::nullopt);
  EXPECT_EQ(nearestWord("x", commands), std::nullopt);
  EXPECT_EQ(nearestWord("", commands), std::nullopt);
}

}  // namespace
}  // namespace stormo
