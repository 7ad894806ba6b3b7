#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"

namespace stormo::test {
namespace {

using channel::SyncPolicy;
using testing::ElementsAre;

using FileLogTest = LogTest;

TEST_F(FileLogTest, ANewLogIsEmptyAndBeginsAnEpoch) {
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_NE(run->opened.epoch, 0u);
  EXPECT_EQ(run->opened.offset, 0u);
  EXPECT_THAT(directory.names(), ElementsAre("00000000000000000001.log", "mark"));
}

TEST_F(FileLogTest, RecordsAreAppliedWithinAppend) {
  open();
  run->log.append(recordOf("a") + recordOf("b"), 2);
  EXPECT_THAT(packets(), ElementsAre("a", "b"));
  EXPECT_EQ(run->log.waitingBytes(), 0u);
  append("c");
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c"));
}

TEST_F(FileLogTest, AppendIsOneWriteAndNothingElse) {
  open();
  const std::uint64_t steps = directory.steps();
  run->log.append(recordOf("a") + recordOf("b"), 2);
  EXPECT_EQ(directory.steps(), steps + 1);
}

TEST_F(FileLogTest, AfterAKillAllIsThereInTheSameEpoch) {
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 5);
  killAndOpen();
  EXPECT_EQ(run->log.appliedCount(), 0u) << "what was recovered does not count";
  EXPECT_FALSE(run->opened.isNewEpoch);
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(run->opened.offset, 5u);
  EXPECT_EQ(packets(), numbers(1, 5));
  appendNumbers(6, 7);
  killAndOpen();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 7));
}

TEST_F(FileLogTest, SegmentsRollBeforeTheyExceedTheirSize) {
  options.segmentBytes = 200;
  options.totalBytesMax = 1 << 20;
  open();
  appendNumbers(1, 20);
  std::size_t segments = 0;
  for (const std::string& name : directory.names()) {
    if (!name.ends_with(".log")) continue;
    ++segments;
    EXPECT_LE(directory.content(name).size(), 200u);
  }
  EXPECT_GT(segments, 4u);
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, 20));
  EXPECT_FALSE(run->opened.isNewEpoch);
}

TEST_F(FileLogTest, OneWriteLargerThanASegmentGetsItsOwn) {
  options.segmentBytes = 200;
  open();
  append("a");
  append(std::string(1000, 'x'));
  append("b");
  EXPECT_TRUE(directory.has("00000000000000000002.log"));
  EXPECT_TRUE(directory.has("00000000000000000003.log"));
  killAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a", std::string(1000, 'x'), "b"));
}

// At every step of a run with small segments and snapshots: the process dies there, and nothing
// that was applied is lost.
TEST_F(FileLogTest, AKillAtAnyStepLosesNothingThatWasApplied) {
  options.segmentBytes = 300;
  bool hasDied = true;
  for (std::uint64_t step = 1; hasDied; ++step) {
    SCOPED_TRACE(step);
    run.reset();
    directory.kill();
    for (const std::string& name : directory.names()) ASSERT_TRUE(directory.remove(name).ok());
    directory.dieAtStep(step);
    std::size_t applied = 0;
    std::uint64_t epoch = 0;
    try {
      open();
      epoch = run->opened.epoch;
      for (int i = 1; i <= 30; ++i) {
        appendNumbers(i, i);
        applied = packets().size();
        if (i % 4 == 0) completeAll();
      }
      hasDied = false;
    } catch (const SimulatedDeath&) {
      if (run) applied = std::max(applied, packets().size());
    }
    killAndOpen();
    EXPECT_GE(packets().size(), applied);
    EXPECT_LE(packets().size(), 30u);
    EXPECT_EQ(packets(), numbers(1, static_cast<int>(packets().size())));
    if (epoch != 0) {
      EXPECT_EQ(run->opened.epoch, epoch);
    }
    append("goes on");
    EXPECT_EQ(packets().back(), "goes on");
  }
}

TEST_F(FileLogTest, AKillAtAnyStepOfRecoveryChangesNothing) {
  options.segmentBytes = 300;
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 20);
  directory.dieAtStep(1);
  EXPECT_THROW(append("not applied"), SimulatedDeath);
  bool hasDied = true;
  for (std::uint64_t step = 1; hasDied; ++step) {
    SCOPED_TRACE(step);
    run.reset();
    directory.kill();
    directory.dieAtStep(step);
    try {
      open();
      hasDied = false;
    } catch (const SimulatedDeath&) {
    }
  }
  EXPECT_GE(packets().size(), 20u);
  EXPECT_EQ(run->opened.epoch, epoch);
}

TEST_F(FileLogTest, FinishIsCleanAndSynced) {
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 3);
  finish();
  run.reset();
  directory.crash();  // nothing is unsynced
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 3));
}

TEST_F(FileLogTest, FinishSyncsWhatEarlierRunsHaveWritten) {
  options.segmentBytes = 200;
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 20);
  killAndOpen();
  finish();
  run.reset();
  directory.crash();
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 20));
}

TEST_F(FileLogTest, TemporaryFilesAreRemoved) {
  directory.restore({{"00000000000000000009.snapshot.tmp", "half"}, {"mark.tmp", ""}});
  open();
  EXPECT_THAT(directory.names(), ElementsAre("00000000000000000001.log", "mark"));
  EXPECT_TRUE(run->opened.isNewEpoch);
}

TEST_F(FileLogTest, OtherFilesAreLeftAlone) {
  directory.restore({{"notes.txt", "keep"}});
  open();
  EXPECT_TRUE(directory.has("notes.txt"));
}

}  // namespace
}  // namespace stormo::test
