#include "channel/server/dedup_table.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo::channel {
namespace {

constexpr std::uint64_t kStart = 1'000'000'000;
constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;

TEST(DedupTable, DuplicateNumberOfASenderIsRecognised) {
  DedupTable table(10);
  EXPECT_TRUE(table.take(7, 1, kStart));
  EXPECT_TRUE(table.take(7, 5, kStart));
  EXPECT_FALSE(table.take(7, 5, kStart));
  EXPECT_FALSE(table.take(7, 2, kStart));
  EXPECT_TRUE(table.take(8, 2, kStart)) << "another sender";
  EXPECT_TRUE(table.take(7, 6, kStart));
  EXPECT_FALSE(table.take(8, 2, kStart));
}

TEST(DedupTable, SendersAreKeptForAnHour) {
  DedupTable table(10);
  for (std::uint64_t number = 1; number <= 10; ++number) {
    EXPECT_TRUE(table.take(7, number, kStart + number * 59 * kMinute));
    EXPECT_FALSE(table.take(7, number, kStart + (number + 1) * 59 * kMinute));
  }
  EXPECT_TRUE(table.take(8, 1, kStart + 24 * kHour));
  EXPECT_TRUE(table.take(8, 2, kStart + 26 * kHour));
  EXPECT_TRUE(table.take(7, 1, kStart + 26 * kHour)) << "a day after its latest number";
}

TEST(DedupTable, NumberOfSendersIsLimited) {
  constexpr std::uint64_t kMax = 1000;
  DedupTable table(kMax);
  EXPECT_TRUE(table.take(1, 1, kStart));
  for (std::uint64_t id = 2; id <= kMax; ++id) ASSERT_TRUE(table.take(id, 1, kStart));
  EXPECT_FALSE(table.take(1, 1, kStart));
  for (std::uint64_t id = 2; id <= 2 * kMax; ++id) (void)table.take(id + kMax, 1, kStart);
  EXPECT_TRUE(table.take(1, 1, kStart));
}

TEST(DedupTable, SavedTableRecognisesTheSameDuplicates) {
  DedupTable table(2);
  for (std::uint64_t sender = 1; sender <= 4; ++sender) (void)table.take(sender, 10, kStart);
  std::string saved;
  {
    StateWriter writer([&](std::string_view bytes) { saved.append(bytes); });
    table.save(writer);
  }
  DedupTable restored(2);
  StateReader reader(saved);
  restored.restore(reader);
  EXPECT_TRUE(reader.ok() && reader.atEnd());
  for (std::uint64_t sender = 1; sender <= 4; ++sender) {
    EXPECT_EQ(restored.take(sender, 10, kStart), table.take(sender, 10, kStart)) << sender;
  }
}

}  // namespace
}  // namespace stormo::channel
