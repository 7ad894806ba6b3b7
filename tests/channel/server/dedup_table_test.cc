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
  EXPECT_TRUE(table.take(7, 1, kStart, 1));
  EXPECT_TRUE(table.take(7, 5, kStart, 1));
  EXPECT_FALSE(table.take(7, 5, kStart, 1));
  EXPECT_FALSE(table.take(7, 2, kStart, 1));
  EXPECT_TRUE(table.take(8, 2, kStart, 1)) << "another sender";
  EXPECT_TRUE(table.take(7, 6, kStart, 1));
  EXPECT_FALSE(table.take(8, 2, kStart, 1));
}

TEST(DedupTable, SendersAreKeptForAnHour) {
  DedupTable table(10);
  for (std::uint64_t number = 1; number <= 10; ++number) {
    EXPECT_TRUE(table.take(7, number, kStart + number * 59 * kMinute, 1));
    EXPECT_FALSE(table.take(7, number, kStart + (number + 1) * 59 * kMinute, 1));
  }
  EXPECT_TRUE(table.take(8, 1, kStart + 24 * kHour, 1));
  EXPECT_TRUE(table.take(8, 2, kStart + 26 * kHour, 1));
  EXPECT_TRUE(table.take(7, 1, kStart + 26 * kHour, 1)) << "a day after its latest number";
}

TEST(DedupTable, NumberOfSendersIsLimited) {
  constexpr std::uint64_t kMax = 1000;
  DedupTable table(kMax);
  EXPECT_TRUE(table.take(1, 1, kStart, 1));
  for (std::uint64_t id = 2; id <= kMax; ++id) ASSERT_TRUE(table.take(id, 1, kStart, 1));
  EXPECT_FALSE(table.take(1, 1, kStart, 1));
  for (std::uint64_t id = 2; id <= 2 * kMax; ++id) (void)table.take(id + kMax, 1, kStart, 1);
  EXPECT_TRUE(table.take(1, 1, kStart, 1));
}

TEST(DedupTable, SavedTableRecognisesTheSameDuplicates) {
  DedupTable table(2);
  for (std::uint64_t sender = 1; sender <= 4; ++sender) (void)table.take(sender, 10, kStart, 1);
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
    EXPECT_EQ(restored.take(sender, 10, kStart, 1), table.take(sender, 10, kStart, 1)) << sender;
  }
}

}  // namespace
}  // namespace stormo::channel
