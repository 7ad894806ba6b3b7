// A log that cannot be written: a full disk, or its own limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"

namespace stormo::test {
namespace {

using channel::SyncPolicy;
using testing::ElementsAre;
using testing::IsEmpty;

class BlockedTest : public LogTest {
 protected:
  void fillDisk(std::uint64_t left = 0) { directory.setCapacity(directory.usedBytes() + left); }
  void freeDisk() { directory.setCapacity(UINT64_MAX); }
  void retry() { advance(std::chrono::milliseconds(100)); }
};

TEST_F(BlockedTest, AFullDiskAtAnyByteBlocksAndThenGoesOn) {
  const std::string records = recordOf("a") + recordOf("b");
  for (std::uint64_t left = 0; left < records.size(); ++left) {
    SCOPED_TRACE(left);
    open();
    const std::size_t before = packets().size();
    fillDisk(left);
    run->log.append(records, 2);
    EXPECT_TRUE(run->log.isBlocked());
    EXPECT_EQ(packets().size(), before);
    EXPECT_EQ(run->log.waitingBytes(), records.size());
    append("c");
    retry();
    EXPECT_TRUE(run->log.isBlocked());
    freeDisk();
    retry();
    EXPECT_FALSE(run->log.isBlocked());
    EXPECT_EQ(packets().size(), before + 3);
    EXPECT_EQ(run->log.waitingBytes(), 0u);
    killAndOpen();
    ASSERT_EQ(packets().size(), before + 3);
    EXPECT_EQ(packets().back(), "c");
  }
}

TEST_F(BlockedTest, CountersShowABlockedLogAndItsSize) {
  open();
  const LogCounters& counters = LoopImpl::of(loop).counters().channelLog;
  append("a");
  EXPECT_EQ(counters.blocked.get(), 0u);
  EXPECT_EQ(counters.lastOffset.get(), 1u);
  EXPECT_EQ(counters.bytes.get(), run->log.totalBytes());
  fillDisk();
  append("b");
  EXPECT_EQ(counters.blocked.get(), 1u);
  EXPECT_EQ(counters.lastOffset.get(), 1u);
  freeDisk();
  retry();
  EXPECT_EQ(counters.blocked.get(), 0u);
  EXPECT_EQ(counters.lastOffset.get(), 2u);
  EXPECT_EQ(counters.bytes.get(), run->log.totalBytes());
}

TEST_F(BlockedTest, AKillWhileBlockedKeepsWhatWasApplied) {
  const std::string records = recordOf("b") + recordOf("c");
  for (std::uint64_t left = 0; left < records.size(); ++left) {
    SCOPED_TRACE(left);
    open();
    const std::uint64_t epoch = run->opened.epoch;
    append("a");
    const std::size_t before = packets().size();
    fillDisk(left);
    run->log.append(records, 2);
    run.reset();
    directory.kill();
    freeDisk();
    open();
    EXPECT_EQ(run->opened.epoch, epoch);
    EXPECT_GE(packets().size(), before);
    EXPECT_LE(packets().size(), before + 1);
  }
}

TEST_F(BlockedTest, AFullDiskAtANewSegmentBlocksAndThenGoesOn) {
  options.segmentBytes = 100;
  for (std::uint64_t left = 0; left <= 80; ++left) {
    SCOPED_TRACE(left);
    open();
    appendNumbers(1000, 1000);
    const std::size_t before = packets().size();
    fillDisk(left);
    append("next");
    EXPECT_TRUE(run->log.isBlocked() || left >= recordOf("next").size());
    freeDisk();
    retry();
    EXPECT_EQ(packets().size(), before + 1);
    killAndOpen();
    EXPECT_EQ(packets().size(), before + 1);
  }
}

TEST_F(BlockedTest, AFullDiskWithAlwaysBlocksAndThenGoesOn) {
  options.sync = SyncPolicy::Always;
  open();
  append("a");
  fillDisk(10);
  append("b");
  append("c");
  EXPECT_TRUE(run->log.isBlocked());
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a"));
  freeDisk();
  retry();
  completeAll();
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c"));
}

TEST_F(BlockedTest, TheLimitHoldsUntilASnapshotHasShortenedTheLog) {
  options.segmentBytes = 500;
  options.totalBytesMax = 3000;
  open();
  int number = 0;
  while (!run->log.isBlocked()) {
    ++number;
    appendNumbers(number, number);
    ASSERT_LE(run->log.totalBytes(), options.totalBytesMax);
  }
  ASSERT_TRUE(directory.hasPendingSnapshot());
  EXPECT_EQ(packets(), numbers(1, number - 1));
  completeAll();
  EXPECT_FALSE(run->log.isBlocked());
  EXPECT_EQ(packets(), numbers(1, number));
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, number));
}

TEST_F(BlockedTest, ASnapshotThatFailsAtTheLimitIsTriedAgainWithPauses) {
  options.segmentBytes = 500;
  options.totalBytesMax = 3000;
  open();
  int number = 0;
  while (!run->log.isBlocked()) {
    ++number;
    appendNumbers(number, number);
  }
  // The log has grown by more than a segment since this one was begun, so the next follows at once.
  directory.failSnapshots(3);
  directory.completeSnapshot();
  retry();
  ASSERT_TRUE(directory.hasPendingSnapshot());
  directory.completeSnapshot();
  advance(std::chrono::seconds(1));
  EXPECT_FALSE(directory.hasPendingSnapshot());
  advance(std::chrono::seconds(1));
  ASSERT_TRUE(directory.hasPendingSnapshot());
  directory.completeSnapshot();
  advance(std::chrono::seconds(3));
  EXPECT_FALSE(directory.hasPendingSnapshot());
  advance(std::chrono::seconds(1));
  ASSERT_TRUE(directory.hasPendingSnapshot());
  completeAll();
  EXPECT_FALSE(run->log.isBlocked());
  EXPECT_EQ(packets(), numbers(1, number));
}

TEST_F(BlockedTest, ABlockedLogIsFinishedOnceItIsWritten) {
  open();
  fillDisk();
  append("a");
  bool isFinished = false;
  run->log.finish([&] { isFinished = true; });
  completeAll();
  EXPECT_FALSE(isFinished);
  EXPECT_THAT(packets(), IsEmpty());
  freeDisk();
  retry();
  completeAll();
  EXPECT_TRUE(isFinished);
  EXPECT_THAT(packets(), ElementsAre("a"));
}

TEST_F(BlockedTest, WithoutRoomForItsFilesALogCannotBeOpened) {
  directory.setCapacity(20);
  LogRun other(directory, options);
  const auto opened = other.log.open(other.state, [] {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, std::errc::no_space_on_device);
  freeDisk();
  open();
}

}  // namespace
}  // namespace stormo::test
