// Records that a snapshot covers, and that the state recalls at the next start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"
#include "channel/log/segment.h"

namespace stormo::test {
namespace {

using testing::IsEmpty;

class RecallTest : public LogTest {
 protected:
  RecallTest() {
    options.segmentBytes = 300;
    recalls = 20;
  }
  // Appends until a snapshot has been written. Returns the number of the last packet, which is the
  // last one that the snapshot covers.
  int fill(int from = 1) {
    int number = from;
    while (!directory.hasPendingSnapshot()) appendNumbers(number, number), ++number;
    completeAll();
    return number - 1;
  }
  // The packets recalled are those that end with the number `last`.
  void expectRecalledUpTo(int last) const {
    const auto& recalled = run->state.recalled;
    ASSERT_FALSE(recalled.empty());
    const int first = static_cast<int>(run->state.recalledFirst);
    EXPECT_EQ(recalled, numbers(first, last));
  }
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> names = directory.names();
    std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
    return names;
  }
  void damage(const std::string& segment) {
    std::string content = directory.content(segment);
    content[channel::kSegmentHeaderBytes + 30] ^= 1;
    directory.replaceContent(segment, content);
  }
};

TEST_F(RecallTest, TheLatestRecordsBeforeASnapshotAreRecalled) {
  open();
  int last = 0;
  for (int i = 0; i < 5; ++i) last = fill(last + 1);
  appendNumbers(last + 1, last + 3);
  for (int i = 0; i < 3; ++i) {  // the second time from files that the first start has kept
    killAndOpen();
    EXPECT_FALSE(run->opened.isNewEpoch);
    expectRecalledUpTo(last);
    EXPECT_GE(run->state.recalled.size(), recalls - 3);
    EXPECT_EQ(packets(), numbers(1, last + 3));
  }
}

TEST_F(RecallTest, RecordsBeforeThoseRecalledAreRemoved) {
  open();
  int last = 0;
  for (int i = 0; i < 5; ++i) last = fill(last + 1);
  // Only the first one may have others.
  ASSERT_GT(segments().size(), 1u);
  EXPECT_GT(*channel::offsetOfSegmentName(segments()[1]), static_cast<std::size_t>(last) - recalls);
  recalls = 0;
  killAndOpen();
  EXPECT_THAT(run->state.recalled, IsEmpty());
  EXPECT_EQ(segments().size(), 1u);
}

TEST_F(RecallTest, ASnapshotInTheMiddleOfASegmentRecallsItsFirstPart) {
  open();
  const int last = fill();
  appendNumbers(last + 1, last + 1);
  run.reset();
  // As if the segment that begins after the snapshot were a part of the one before.
  const std::vector<std::string> names = segments();
  const std::string& end = names.back();
  const std::string& before = names[names.size() - 2];
  directory.replaceContent(before, directory.content(before) +
                                       directory.content(end).substr(channel::kSegmentHeaderBytes));
  ASSERT_TRUE(directory.remove(end).ok());
  open();
  EXPECT_FALSE(run->opened.isNewEpoch);
  expectRecalledUpTo(last);
  EXPECT_EQ(packets(), numbers(1, last + 1));
}

TEST_F(RecallTest, ADamagedSegmentAndThoseBeforeItAreNotRecalled) {
  recalls = 1000;
  options.totalBytesMax = 1 << 20;
  open();
  int last = 0;
  for (int i = 0; i < 3; ++i) last = fill(last + 1);
  run.reset();
  const std::vector<std::string> names = segments();
  ASSERT_GT(names.size(), 4u);
  damage(names[1]);
  open();
  EXPECT_FALSE(run->opened.isNewEpoch);
  expectRecalledUpTo(last);
  EXPECT_EQ(channel::segmentName(run->state.recalledFirst), names[2]);
  EXPECT_EQ(segments().front(), names[2]);
  EXPECT_EQ(packets(), numbers(1, last));
  appendNumbers(last + 1, last + 1);
  killAndOpen();
  EXPECT_EQ(channel::segmentName(run->state.recalledFirst), names[2]);
  EXPECT_EQ(packets(), numbers(1, last + 1));
}

TEST_F(RecallTest, NothingIsRecalledOverAHole) {
  recalls = 1000;
  open();
  const int last = fill();
  run.reset();
  const std::vector<std::string> names = segments();
  damage(names[names.size() - 2]);  // the last one that the snapshot covers
  open();
  EXPECT_FALSE(run->opened.isNewEpoch);
  EXPECT_THAT(run->state.recalled, IsEmpty());
  EXPECT_EQ(packets(), numbers(1, last));
}

TEST_F(RecallTest, TheLimitCountsMoreThanWhatIsRecalled) {
  recalls = 100'000;
  options.totalBytesMax = 5000;
  open();
  for (int number = 1; number <= 60; ++number) {
    appendNumbers(number, number);
    completeAll();
    ASSERT_FALSE(run->log.isBlocked());
    ASSERT_LE(run->log.totalBytes(), options.totalBytesMax);
  }
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, 60));
}

}  // namespace
}  // namespace stormo::test
