#include "worker/close_pace.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

using std::chrono::milliseconds;

TEST(ClosePace, ClosesAreSpreadEvenlyOverTheTime) {
  TimePoint now{};
  ClosePace pace(1000, now, milliseconds(10'000));
  for (std::size_t step = 1; step <= 100; ++step) {
    now += milliseconds(100);
    EXPECT_EQ(pace.due(now, false), 10 * step);
  }
}

TEST(ClosePace, NothingIsDueWhileOthersAreBehind) {
  TimePoint now{};
  ClosePace pace(100, now, milliseconds(1000));
  EXPECT_EQ(pace.due(now += milliseconds(500), false), 50u);
  EXPECT_EQ(pace.due(now += milliseconds(400), true), 50u);
  EXPECT_EQ(pace.due(now += milliseconds(100), false), 60u);
}

TEST(ClosePace, WaitsForOthersNoLongerThanItsTime) {
  TimePoint now{};
  ClosePace pace(100, now, milliseconds(1000));
  for (int step = 0; step < 10; ++step) {
    EXPECT_EQ(pace.due(now += milliseconds(100), true), 0u) << step;
  }
  for (std::size_t step = 1; step <= 10; ++step) {
    EXPECT_EQ(pace.due(now += milliseconds(100), true), 10 * step);
  }
}

TEST(ClosePace, AllAreDueAtTheEndAlsoIfThereAreFew) {
  TimePoint now{};
  ClosePace three(3, now, milliseconds(7));
  EXPECT_EQ(three.due(now + milliseconds(1), false), 0u);
  EXPECT_EQ(three.due(now + milliseconds(70), false), 3u);
  ClosePace none(0, now, milliseconds(7));
  EXPECT_EQ(none.due(now, false), 0u);
}

}  // namespace
}  // namespace stormo
