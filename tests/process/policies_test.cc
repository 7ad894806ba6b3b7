#include <gtest/gtest.h>

#include <random>

#include "process/rate_window.h"
#include "process/restart_policy.h"
#include "process/sibling_cover.h"

namespace stormo::process {
namespace {

using namespace std::chrono_literals;

TEST(RestartPolicy, BackOffStartsAtZeroAndDoublesUpToFiveSeconds) {
  RestartPolicy policy;
  TimePoint now{};
  std::vector<RestartPolicy::Duration> waits;
  for (int death = 0; death < 9; ++death) {
    const TimePoint started = now;
    now += 1ms;
    waits.push_back(policy.onEnd(started, now));
    now += waits.back();
  }
  EXPECT_EQ(waits, (std::vector<RestartPolicy::Duration>{0ms, 100ms, 200ms, 400ms, 800ms, 1600ms,
                                                         3200ms, 5s, 5s}));
}

TEST(RestartPolicy, BackOffIsResetByAChildThatRanTenSeconds) {
  RestartPolicy policy;
  const TimePoint start{};
  policy.onEnd(start, start);
  EXPECT_EQ(policy.onEnd(start, start), 100ms);
  EXPECT_EQ(policy.onEnd(start, start + 9999ms), 200ms);
  EXPECT_EQ(policy.onEnd(start, start + 10s), 0ms);
  EXPECT_EQ(policy.onEnd(start, start), 100ms);
}

TEST(SiblingCover, NoOrdersWhileAllSlotsAccept) {
  SiblingCover cover(3);
  EXPECT_TRUE(cover.update({true, true, true}).empty());
}

TEST(SiblingCover, TheNextSiblingAcceptsUntilTheSlotAcceptsAgain) {
  using Order = SiblingCover::Order;
  SiblingCover cover(3);
  EXPECT_EQ(cover.update({true, false, true}), (std::vector<Order>{{2, 1, true}}));
  EXPECT_TRUE(cover.update({true, false, true}).empty());
  EXPECT_EQ(cover.update({true, true, true}), (std::vector<Order>{{2, 1, false}}));
}

TEST(SiblingCover, WhenTheCoveringSiblingFailsAnotherCoversBothSlots) {
  using Order = SiblingCover::Order;
  SiblingCover cover(3);
  cover.update({true, false, true});
  EXPECT_EQ(cover.update({true, false, false}),
            (std::vector<Order>{{2, 1, false}, {0, 1, true}, {0, 2, true}}));
}

TEST(SiblingCover, ARoleWithOneSlotHasNoCover) {
  SiblingCover cover(1);
  EXPECT_TRUE(cover.update({false}).empty());
  EXPECT_TRUE(cover.update({true}).empty());
}

TEST(SiblingCover, RandomFailuresLeaveEachFailedSlotWithOneAcceptor) {
  std::mt19937 random(1);
  constexpr std::size_t kSlots = 5;
  SiblingCover cover(kSlots);
  bool accepts[kSlots][kSlots] = {};  // [acceptor][slot], as the children see it
  std::vector<bool> able(kSlots, true);
  for (int step = 0; step < 2000; ++step) {
    const std::size_t changed = random() % kSlots;
    able[changed] = !able[changed];
    if (!able[changed]) std::fill(accepts[changed], accepts[changed] + kSlots, false);  // it ended
    for (const auto& order : cover.update(able)) {
      const auto acceptor = static_cast<std::size_t>(order.acceptor);
      if (able[acceptor]) accepts[acceptor][order.slot] = order.accept;
    }
    const bool anybody = std::find(able.begin(), able.end(), true) != able.end();
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      int acceptors = 0;
      for (std::size_t who = 0; who < kSlots; ++who) acceptors += accepts[who][slot] ? 1 : 0;
      ASSERT_EQ(acceptors, !able[slot] && anybody ? 1 : 0) << "step " << step << " slot " << slot;
    }
  }
}

TEST(RateWindow, RateIsZeroDuringTheFirstSecond) {
  RateWindow window;
  const TimePoint start = TimePoint{} + 1h;
  EXPECT_EQ(window.perSecond(start, 5), 0);
  window.sample(start, 0);
  EXPECT_EQ(window.perSecond(start + 999ms, 5000), 0);
  EXPECT_EQ(window.perSecond(start + 1s, 5000), 5000);
}

TEST(RateWindow, RateIsMeasuredFromTheLatestSampleOlderThanASecond) {
  RateWindow window;
  const TimePoint start = TimePoint{} + 1h;
  window.sample(start, 0);
  window.sample(start + 2s, 200);
  EXPECT_EQ(window.perSecond(start + 2500ms, 250), 100);  // over 2.5 s
  EXPECT_EQ(window.perSecond(start + 4s, 1200), 500);     // over the last 2 s
}

}  // namespace
}  // namespace stormo::process
