#include "event/timer_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace stormo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimerQueue::Duration kOnce{0};

class TimerQueueTest : public testing::Test {
 protected:
  static TimePoint at(std::chrono::milliseconds time) { return TimePoint(1h) + time; }
  Handle add(std::chrono::milliseconds deadline, TimerQueue::Duration interval, std::string name) {
    return queue.add(at(deadline), interval, [this, name] { fired.push_back(name); });
  }
  std::vector<std::string> firedBy(std::chrono::milliseconds now) {
    fired.clear();
    queue.fire(at(now));
    return fired;
  }

  TimerQueue queue;
  std::vector<std::string> fired;
};

TEST_F(TimerQueueTest, FiresInTheOrderOfDeadlinesAndNeverEarly) {
  add(30ms, kOnce, "third");
  add(10ms, kOnce, "first");
  add(20ms, kOnce, "second");
  EXPECT_THAT(firedBy(9ms), IsEmpty());
  EXPECT_THAT(firedBy(10ms), ElementsAre("first"));
  EXPECT_THAT(firedBy(99ms), ElementsAre("second", "third"));
  EXPECT_THAT(firedBy(999ms), IsEmpty());
}

TEST_F(TimerQueueTest, FiresEqualDeadlinesInTheOrderInWhichTheyWereSet) {
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(std::to_string(i));
    add(5ms, kOnce, expected.back());
  }
  EXPECT_EQ(firedBy(5ms), expected);
}

TEST_F(TimerQueueTest, NextSkipsCancelledTimers) {
  EXPECT_EQ(queue.next(), std::nullopt);
  const Handle first = add(10ms, kOnce, "first");
  add(20ms, kOnce, "second");
  EXPECT_EQ(queue.next(), at(10ms));
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_EQ(queue.next(), at(20ms));
  EXPECT_THAT(firedBy(30ms), ElementsAre("second"));
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST_F(TimerQueueTest, CancelReturnsWhetherTheTimerWasStillToFire) {
  const Handle once = add(10ms, kOnce, "once");
  firedBy(10ms);
  EXPECT_FALSE(queue.cancel(once));
  const Handle other = add(10ms, kOnce, "other");
  EXPECT_TRUE(queue.cancel(other));
  EXPECT_FALSE(queue.cancel(other));
  EXPECT_FALSE(queue.cancel({}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(TimerQueueTest, APeriodicTimerFiresUntilCancelled) {
  const Handle id = add(10ms, 10ms, "tick");
  EXPECT_THAT(firedBy(10ms), ElementsAre("tick"));
  EXPECT_THAT(firedBy(19ms), IsEmpty());
  EXPECT_THAT(firedBy(20ms), ElementsAre("tick"));
  EXPECT_TRUE(queue.cancel(id));
  EXPECT_THAT(firedBy(99ms), IsEmpty());
}

TEST_F(TimerQueueTest, ADelayedPeriodicTimerFiresOnce) {
  add(10ms, 10ms, "tick");
  EXPECT_THAT(firedBy(75ms), ElementsAre("tick"));
  EXPECT_EQ(queue.next(), at(85ms));
}

TEST_F(TimerQueueTest, AHandlerMayCancelItsOwnTimer) {
  Handle id;
  int calls = 0;
  id = queue.add(at(1ms), 1ms, [&] {
    ++calls;
    EXPECT_TRUE(queue.cancel(id));
  });
  queue.fire(at(1ms));
  queue.fire(at(9ms));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(TimerQueueTest, AOneShotTimerIsRemovedBeforeItsHandlerRuns) {
  Handle id;
  bool cancelled = true;
  id = queue.add(at(1ms), kOnce, [&] { cancelled = queue.cancel(id); });
  queue.fire(at(1ms));
  EXPECT_FALSE(cancelled);
}

TEST_F(TimerQueueTest, AHandlerMayCancelAnotherDueTimer) {
  Handle other;
  queue.add(at(1ms), kOnce, [&] { queue.cancel(other); });
  other = add(1ms, kOnce, "other");
  EXPECT_THAT(firedBy(1ms), IsEmpty());
}

TEST_F(TimerQueueTest, TimersSetByHandlersFireInTheNextCall) {
  queue.add(at(10ms), kOnce, [&] { add(1ms, kOnce, "late child"); });
  add(20ms, kOnce, "sibling");
  EXPECT_THAT(firedBy(30ms), ElementsAre("sibling"));
  EXPECT_THAT(firedBy(30ms), ElementsAre("late child"));
}

TEST_F(TimerQueueTest, AHandlerThatThrowsIsCountedAndOtherTimersFire) {
  queue.add(at(1ms), 1ms, [&] {
    fired.push_back("thrower");
    throw std::runtime_error("oops");
  });
  queue.add(at(1ms), kOnce, [] { throw 7; });
  add(1ms, kOnce, "other");
  EXPECT_EQ(queue.fire(at(1ms)), 2u);
  EXPECT_THAT(fired, ElementsAre("thrower", "other"));
  EXPECT_THAT(firedBy(2ms), ElementsAre("thrower"));
}

TEST_F(TimerQueueTest, ObjectsOwnedByACancelledHandlerMayCancelTimers) {
  struct Owner {
    TimerQueue& queue;
    Handle id;
    ~Owner() { EXPECT_FALSE(queue.cancel(id)); }
  };
  auto owner = std::make_shared<Owner>(queue, Handle{});
  Owner& same = *owner;
  same.id = queue.add(at(1ms), kOnce, [owner = std::move(owner)] {});
  EXPECT_TRUE(queue.cancel(same.id));
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(TimerQueueTest, CancelledTimersDoNotGrowTheHeap) {
  add(1h, kOnce, "far");
  for (int i = 0; i < 100'000; ++i) queue.cancel(add(10min, kOnce, "never"));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_LE(queue.pending(), 100u);
}

TEST_F(TimerQueueTest, EqualsASortedListOverRandomOperations) {
  struct Model {
    std::chrono::milliseconds deadline;
    int order;
    Handle id;
  };
  std::map<std::string, Model> model;
  std::mt19937 random(11);
  std::chrono::milliseconds now = 0ms;
  for (int step = 0; step < 5000; ++step) {
    const auto roll = random() % 10;
    if (roll < 6) {
      const auto deadline = now + std::chrono::milliseconds(random() % 50);
      const std::string name = std::to_string(step);
      model[name] = {deadline, step, add(deadline, kOnce, name)};
    } else if (roll < 8 && !model.empty()) {
      const auto timer = std::next(model.begin(), static_cast<long>(random() % model.size()));
      EXPECT_TRUE(queue.cancel(timer->second.id));
      model.erase(timer);
    } else {
      now += std::chrono::milliseconds(random() % 20);
      std::map<std::pair<std::chrono::milliseconds, int>, std::string> due;
      std::erase_if(model, [&](const auto& each) {
        const bool isDue = each.second.deadline <= now;
        if (isDue) due[{each.second.deadline, each.second.order}] = each.first;
        return isDue;
      });
      std::vector<std::string> expected;
      for (const auto& each : due) expected.push_back(each.second);
      ASSERT_EQ(firedBy(now), expected) << "at step " << step;
    }
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace
}  // namespace stormo
