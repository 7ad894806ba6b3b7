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

TEST(Authors, AreRememberedForAnHourAndNotForEver) {
  Authors authors;
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
    EXPECT_TRUE(authors.take({7, sequence}, kStart + sequence * 59min));
    EXPECT_FALSE(authors.take({7, sequence}, kStart + (sequence + 1) * 59min));
  }
  EXPECT_TRUE(authors.take({8, 1}, kStart + 24h));
  EXPECT_TRUE(authors.take({8, 2}, kStart + 26h));
  EXPECT_TRUE(authors.take({7, 1}, kStart + 26h)) << "it was silent for a day";
}

TEST(Authors, SoManyAreRememberedAndNotMuchMore) {
  Authors authors;
  EXPECT_TRUE(authors.take({1, 1}, kStart));
  for (std::uint64_t id = 2; id <= Authors::kAuthorsMax; ++id) {
    ASSERT_TRUE(authors.take({id, 1}, kStart));
  }
  EXPECT_FALSE(authors.take({1, 1}, kStart));
  for (std::uint64_t id = 2; id <= 2 * Authors::kAuthorsMax; ++id) {
    (void)authors.take({id + Authors::kAuthorsMax, 1}, kStart);
  }
  EXPECT_TRUE(authors.take({1, 1}, kStart));
}

}  // namespace
}  // namespace stormo::channel
