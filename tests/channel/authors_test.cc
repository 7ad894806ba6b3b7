#include "channel/authors.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

TEST(Authors, WhatOneHasSaidIsTakenOnce) {
  Authors authors;
  EXPECT_TRUE(authors.take({7, 1}, kStart));
  EXPECT_TRUE(authors.take({7, 5}, kStart));
  EXPECT_FALSE(authors.take({7, 5}, kStart));
  EXPECT_FALSE(authors.take({7, 2}, kStart));
  EXPECT_TRUE(authors.take({8, 2}, kStart)) << "somebody else";
  EXPECT_TRUE(authors.take({7, 6}, kStart));
}

TEST(Authors, AreForgottenAnHourAfterTheirLastWord) {
  Authors authors;
  std::uint64_t id = 0;
  while (id < 1500) EXPECT_TRUE(authors.take({++id, 1}, kStart));
  EXPECT_TRUE(authors.take({1, 2}, kStart + 30min));
  const TimePoint later = kStart + 61min;
  while (authors.size() > 1000) {
    ASSERT_LT(id, 10'000u);
    EXPECT_TRUE(authors.take({++id, 1}, later));
  }
  EXPECT_FALSE(authors.take({1, 2}, later));
  EXPECT_TRUE(authors.take({2, 1}, later));
}

}  // namespace
}  // namespace stormo::channel
