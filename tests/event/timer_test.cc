#include <gmock/gmock.h>
#include <stormo/timer.h>

#include <stdexcept>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"

namespace stormo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class TimerTest : public test::LoopTest {};

TEST_F(TimerTest, FiresOnceAfterItsDelayAndNeverInsideTheCall) {
  int calls = 0;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(Timer::once(20ms, [&] { ++calls; }), 0u);
  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(turnUntil([&] { return calls == 1; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  settle();
  EXPECT_EQ(calls, 1);
}

TEST_F(TimerTest, FiresInTheOrderOfDeadlines) {
  std::vector<int> order;
  Timer::once(3ms, [&] { order.push_back(3); });
  Timer::once(1ms, [&] { order.push_back(1); });
  Timer::once(2ms, [&] { order.push_back(2); });
  ASSERT_TRUE(turnUntil([&] { return order.size() == 3; }));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(TimerTest, RepeatsUntilCancelled) {
  int calls = 0;
  const Timer::Id id = Timer::add(1ms, [&] { ++calls; });
  ASSERT_TRUE(turnUntil([&] { return calls >= 3; }));
  EXPECT_TRUE(Timer::cancel(id));
  EXPECT_FALSE(Timer::cancel(id));
  const int before = calls;
  settle();
  EXPECT_EQ(calls, before);
}

TEST_F(TimerTest, AZeroIntervalIsOneMillisecond) {
  int calls = 0;
  Timer::add(Timer::Duration::zero(), [&] { ++calls; });
  ASSERT_TRUE(turnUntil([&] { return calls == 1; }));
}

TEST_F(TimerTest, CancellingIdZeroDoesNothing) { EXPECT_FALSE(Timer::cancel(0)); }

TEST_F(TimerTest, TheLongestDelayDoesNotOverflow) {
  bool fired = false;
  Timer::once(Timer::Duration::max(), [&] { fired = true; });
  Timer::add(Timer::Duration::max(), [&] { fired = true; });
  settle();
  EXPECT_FALSE(fired);
}

TEST_F(TimerTest, AHandlerThatThrowsIsCountedAndTheTimerContinues) {
  int calls = 0;
  Timer::add(1ms, [&] {
    ++calls;
    throw std::runtime_error("oops");
  });
  ASSERT_TRUE(turnUntil([&] { return calls == 2; }));
  EXPECT_EQ(LoopImpl::of(loop).counters().handlerErrors.get(), 2u);
}

TEST_F(TimerTest, TimersAreCounted) {
  const Timer::Id id = Timer::once(1h, [] {});
  turn();
  EXPECT_EQ(LoopImpl::of(loop).counters().timers.get(), 1u);
  Timer::cancel(id);
  turn();
  EXPECT_EQ(LoopImpl::of(loop).counters().timers.get(), 0u);
}

}  // namespace
}  // namespace stormo
