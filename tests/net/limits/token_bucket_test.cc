#include "net/limits/token_bucket.h"

#include <gtest/gtest.h>

namespace stormo::net {
namespace {

using namespace std::chrono_literals;

constexpr Clock::duration kNow{};

/// Sends one message at each of these intervals for that time. Returns how many found a token.
int passed(Clock::duration interval, Clock::duration time, std::size_t perSecond, int atOnce = 1) {
  TokenBucket bucket;
  TimePoint now{1h};
  int count = 0;
  for (const TimePoint end = now + time; now < end; now += interval) {
    for (int i = 0; i < atOnce; ++i) {
      const Clock::duration cost = TokenBucket::costOf(1, perSecond);
      if (bucket.waitFor(cost, now) > kNow) continue;
      bucket.spend(cost, now);
      ++count;
    }
  }
  return count;
}

TEST(TokenBucket, ASteadyClientAtTheRateNeverWaits) {
  EXPECT_EQ(passed(100ms, 60s, 10), 600);
  EXPECT_EQ(passed(1s, 60s, 1), 60);
}

TEST(TokenBucket, BurstsGetNoMoreThanTheRateOnAverage) {
  EXPECT_EQ(passed(10s, 60s, 10, 1000), 60)
      << "10 for each burst: what the idle time before it has "
         "yielded beyond a second is lost";
  EXPECT_EQ(passed(1s, 60s, 10, 1000), 600) << "as many as a steady client";
  EXPECT_LE(passed(1ms, 60s, 10), 610);
}

TEST(TokenBucket, ADebtDelaysWhatComesNext) {
  TokenBucket bucket;
  const TimePoint now{1h};
  bucket.spend(TokenBucket::costOf(5000, 1000), now);
  const Clock::duration one = TokenBucket::costOf(1, 1000);
  EXPECT_EQ(bucket.waitFor(one, now), 4s + one);
  EXPECT_EQ(bucket.waitFor(one, now + 4s), one);
  EXPECT_EQ(bucket.waitFor(one, now + 5s), kNow);
}

TEST(TokenBucket, WhatCostsMoreThanABurstPassesWhenTheBucketIsFull) {
  TokenBucket bucket;
  const TimePoint now{1h};
  EXPECT_EQ(bucket.waitFor(1h, now), kNow);
  bucket.spend(100ms, now);
  EXPECT_EQ(bucket.waitFor(1h, now), 100ms);
}

}  // namespace
}  // namespace stormo::net
