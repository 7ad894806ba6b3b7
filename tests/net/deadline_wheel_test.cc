#include "net/deadline_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr TimePoint kStart{1h};

class DeadlineWheelTest : public testing::Test {
 protected:
  void set(std::uint32_t index, std::chrono::milliseconds deadline) {
    wheel.set(index, kStart + deadline, kStart + now);
  }
  std::vector<std::uint32_t> expiredBy(std::chrono::milliseconds time) {
    now = time;
    std::vector<std::uint32_t> expired;
    wheel.expire(kStart + now, [&](std::uint32_t index) { expired.push_back(index); });
    return expired;
  }

  DeadlineWheel wheel{kStart};
  std::chrono::milliseconds now{0};
};

TEST_F(DeadlineWheelTest, ADeadlineExpiresNeverEarlyAndAtMostATickLate) {
  set(7, 100ms);
  EXPECT_THAT(expiredBy(99ms), IsEmpty());
  EXPECT_THAT(expiredBy(116ms), ElementsAre(7));
  EXPECT_THAT(expiredBy(10s), IsEmpty());
}

TEST_F(DeadlineWheelTest, ANewDeadlineReplacesTheOldOne) {
  set(1, 100ms);
  set(1, 500ms);
  EXPECT_THAT(expiredBy(400ms), IsEmpty());
  EXPECT_THAT(expiredBy(516ms), ElementsAre(1));
}

TEST_F(DeadlineWheelTest, AClearedDeadlineDoesNotExpire) {
  set(1, 100ms);
  set(2, 100ms);
  wheel.clear(1);
  wheel.clear(1);
  wheel.clear(99);
  EXPECT_THAT(expiredBy(1s), ElementsAre(2));
}

TEST_F(DeadlineWheelTest, APassedDeadlineExpiresInTheNextCall) {
  expiredBy(1s);
  set(1, 10ms);
  int calls = 0;
  wheel.expire(kStart + 1s + 16ms, [&](std::uint32_t index) {
    ++calls;
    wheel.set(index, kStart + 10ms, kStart + 1s + 16ms);
  });
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(expiredBy(1032ms), ElementsAre(1));
}

TEST_F(DeadlineWheelTest, NextIsTheTimeOfTheEarliestDeadline) {
  EXPECT_EQ(wheel.next(), std::nullopt);
  set(1, 100ms);
  set(2, 3s);
  ASSERT_TRUE(wheel.next());
  EXPECT_GE(*wheel.next(), kStart + 100ms);
  EXPECT_LE(*wheel.next(), kStart + 116ms);
  now = std::chrono::duration_cast<std::chrono::milliseconds>(*wheel.next() - kStart);
  EXPECT_THAT(expiredBy(now), ElementsAre(1));
  EXPECT_GE(*wheel.next(), kStart + 3s);
  wheel.clear(2);
  EXPECT_EQ(wheel.next(), std::nullopt);
}

TEST_F(DeadlineWheelTest, ADeadlineBeyondTheHorizonExpiresAtTheHorizon) {
  set(1, 10min);
  EXPECT_THAT(expiredBy(60s), IsEmpty());
  EXPECT_THAT(expiredBy(66s), ElementsAre(1));
}

TEST_F(DeadlineWheelTest, AnExpiredDeadlineMayBeSetAgainDuringExpire) {
  for (std::uint32_t i = 0; i < 100; ++i) set(i, std::chrono::milliseconds(20 * i));
  std::vector<std::uint32_t> expired;
  now = 5s;
  wheel.expire(kStart + now, [&](std::uint32_t index) {
    expired.push_back(index);
    set(index, 8s);
  });
  EXPECT_EQ(expired.size(), 100u);
  EXPECT_THAT(expiredBy(7s), IsEmpty());
  EXPECT_EQ(expiredBy(8100ms).size(), 100u);
}

TEST_F(DeadlineWheelTest, AnExpiredDeadlineMayClearOthersDuringExpire) {
  set(1, 20ms);
  set(2, 20ms);
  set(3, 200ms);
  int calls = 0;
  wheel.expire(kStart + 1s, [&](std::uint32_t) {
    ++calls;
    for (const std::uint32_t index : {1u, 2u, 3u}) wheel.clear(index);
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(wheel.next(), std::nullopt);
}

TEST_F(DeadlineWheelTest, WrapsAroundManyTimes) {
  for (int round = 0; round < 20; ++round) {
    set(5, now + 40s);
    set(6, now + 20s);
    EXPECT_THAT(expiredBy(now + 21s), ElementsAre(6));
    EXPECT_THAT(expiredBy(now + 20s), ElementsAre(5));
  }
}

TEST_F(DeadlineWheelTest, AfterALongIdleTimeItCountsFromNow) {
  set(1, 100ms);
  expiredBy(1s);
  now = 30min;
  set(2, now + 100ms);
  EXPECT_THAT(expiredBy(now + 90ms), IsEmpty());
  EXPECT_THAT(expiredBy(30min + 116ms), ElementsAre(2));
}

/// Deadlines in a map. Each may expire from its time on, and must have expired a tick later.
TEST_F(DeadlineWheelTest, EqualsAMapOfDeadlinesOverRandomOperations) {
  constexpr auto kTick =
      std::chrono::duration_cast<std::chrono::milliseconds>(DeadlineWheel::kTick);
  std::map<std::uint32_t, std::chrono::milliseconds> model;
  std::mt19937 random(13);
  const auto setBoth = [&](std::uint32_t index) {
    const auto deadline = now + std::chrono::milliseconds(random() % 3000);
    model[index] = deadline;
    set(index, deadline);
  };
  for (int step = 0; step < 30'000; ++step) {
    const std::uint32_t index = static_cast<std::uint32_t>(random() % 300);
    const auto roll = random() % 10;
    if (roll < 5) {
      setBoth(index);
    } else if (roll < 6) {
      wheel.clear(index);
      model.erase(index);
    } else if (roll < 7) {
      now += std::chrono::milliseconds(random() % 200);  // time passes between two calls
    } else {
      now += std::chrono::milliseconds(random() % 400);
      wheel.expire(kStart + now, [&](std::uint32_t due) {
        ASSERT_TRUE(model.contains(due)) << due << " was not set";
        ASSERT_LE(model[due], now) << due << " is early";
        model.erase(due);
        if (random() % 2 == 0) setBoth(due);
        if (random() % 8 == 0) {
          const std::uint32_t other = static_cast<std::uint32_t>(random() % 300);
          wheel.clear(other);
          model.erase(other);
        }
      });
      for (const auto& [late, deadline] : model) {
        ASSERT_GT(deadline + kTick, now) << late << " is late at step " << step;
      }
    }
    ASSERT_EQ(wheel.next().has_value(), !model.empty()) << "at step " << step;
    if (model.empty()) continue;
    const auto first =
        std::min_element(model.begin(), model.end(), [](const auto& a, const auto& b) {
          return a.second < b.second;
        })->second;
    ASSERT_LE(*wheel.next(), kStart + std::max(first, now) + kTick) << "at step " << step;
  }
}

}  // namespace
}  // namespace stormo::net
