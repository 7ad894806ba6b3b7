#include "base/assert.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(AssertDeathTest, PrintsConditionFileAndLineThenAborts) {
  const int birds = 0;
  EXPECT_EXIT(STORMO_ASSERT(birds > 0), testing::KilledBySignal(SIGABRT),
              "stormo: assertion failed: birds > 0 at .*assert_test.cc:[0-9]+");
}

TEST(Assert, EvaluatesItsConditionOnceAndReturnsIfTrue) {
  int looks = 0;
  STORMO_ASSERT(++looks == 1);
  EXPECT_EQ(looks, 1);
}

}  // namespace
}  // namespace stormo
