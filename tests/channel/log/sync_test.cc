// When records are applied, and what survives, with each SyncPolicy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"

namespace stormo::test {
namespace {

using channel::SyncPolicy;
using testing::ElementsAre;
using testing::IsEmpty;

class SyncTest : public LogTest {
 protected:
  void openWith(SyncPolicy sync) {
    options.sync = sync;
    open();
    epoch = run->opened.epoch;
  }
  void crashAndOpen() {
    run.reset();
    directory.crash();
    open();
  }

  std::uint64_t epoch = 0;
};

TEST_F(SyncTest, ProcessNeverSyncs) {
  openWith(SyncPolicy::Process);
  appendNumbers(1, 100);
  advance(std::chrono::hours(1));
  EXPECT_FALSE(directory.hasPendingSync());
}

TEST_F(SyncTest, ProcessBeginsANewEpochAfterACrash) {
  openWith(SyncPolicy::Process);
  appendNumbers(1, 10);
  crashAndOpen();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_NE(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, static_cast<int>(packets().size())));
}

TEST_F(SyncTest, IntervalSyncsWhenSomethingWasWritten) {
  options.interval = std::chrono::milliseconds(50);
  openWith(SyncPolicy::Interval);
  append("a");
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_FALSE(directory.hasPendingSync());
  advance(options.interval);
  EXPECT_TRUE(directory.hasPendingSync());
  directory.completeSync();
  advance(options.interval);
  EXPECT_FALSE(directory.hasPendingSync());
  append("b");
  advance(options.interval);
  EXPECT_TRUE(directory.hasPendingSync());
}

TEST_F(SyncTest, IntervalKeepsOverACrashWhatWasSynced) {
  options.segmentBytes = 200;
  openWith(SyncPolicy::Interval);
  appendNumbers(1, 20);
  advance(options.interval);
  completeAll();
  appendNumbers(21, 30);
  crashAndOpen();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_GE(packets().size(), 20u);
  EXPECT_EQ(packets(), numbers(1, static_cast<int>(packets().size())));
}

TEST_F(SyncTest, IntervalTakesASnapshotAfterAFailedSync) {
  openWith(SyncPolicy::Interval);
  append("a");
  directory.failSyncs(1);
  advance(options.interval);
  directory.completeSync();
  ASSERT_TRUE(directory.hasPendingSnapshot());
  completeAll();
  crashAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
}

TEST_F(SyncTest, AlwaysAppliesOnlyWhatIsOnDisk) {
  openWith(SyncPolicy::Always);
  append("a");
  EXPECT_THAT(packets(), IsEmpty());
  EXPECT_EQ(run->log.waitingBytes(), recordOf("a").size());
  EXPECT_EQ(run->log.appliedCount(), 0u);
  directory.completeSync();
  EXPECT_EQ(run->log.appliedCount(), packets().size());
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_EQ(run->log.waitingBytes(), 0u);
  EXPECT_FALSE(directory.hasPendingSync());
}

TEST_F(SyncTest, AlwaysSharesTheNextSyncAmongWhatArrivesDuringOne) {
  openWith(SyncPolicy::Always);
  append("a");
  append("b");
  append("c");
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a"));
  append("d");
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c"));
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(directory.hasPendingSync());
}

TEST_F(SyncTest, AlwaysKeepsAllThatWasAppliedAndTheEpochOverACrash) {
  options.segmentBytes = 200;
  openWith(SyncPolicy::Always);
  for (int i = 1; i <= 20; ++i) {
    appendNumbers(i, i);
    if (i % 3 == 0) directory.completeSync();
  }
  const std::size_t applied = packets().size();
  crashAndOpen();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_GE(packets().size(), applied);
}

// A process that is killed has written records that it has not synced. The next one applies them,
// so they must be on disk before.
TEST_F(SyncTest, AlwaysSyncsWhatItRecovers) {
  openWith(SyncPolicy::Always);
  append("a");
  killAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
  crashAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_EQ(run->opened.epoch, epoch);
}

TEST_F(SyncTest, AlwaysWritesAgainWhatAFailedSyncMayHaveDropped) {
  openWith(SyncPolicy::Always);
  append("a");
  directory.completeSync();
  append("b");
  append("c");
  directory.failSyncs(1);
  directory.completeSync();
  EXPECT_TRUE(run->log.isBlocked());
  EXPECT_THAT(packets(), ElementsAre("a"));
  advance(std::chrono::milliseconds(100));
  directory.completeSync();
  EXPECT_FALSE(run->log.isBlocked());
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(directory.has("00000000000000000002.log"));
  crashAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(run->opened.epoch, epoch);
}

TEST_F(SyncTest, AlwaysStaysBlockedWhileSyncsFail) {
  openWith(SyncPolicy::Always);
  append("a");
  directory.failSyncs(3);
  for (int i = 0; i < 3; ++i) {
    directory.completeSync();
    EXPECT_TRUE(run->log.isBlocked());
    advance(std::chrono::milliseconds(100));
    EXPECT_TRUE(run->log.isBlocked());
  }
  EXPECT_THAT(packets(), IsEmpty());
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_FALSE(run->log.isBlocked());
}

// The page cache still shows the records to the next process, and its own sync succeeds.
TEST_F(SyncTest, AProcessAfterAFailedSyncCopiesTheSegments) {
  openWith(SyncPolicy::Always);
  append("a");
  directory.failSyncs(1);
  directory.completeSync();
  killAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
  crashAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_EQ(run->opened.epoch, epoch);
}

TEST_F(SyncTest, AProcessThatEndedInAFailingSyncIsFollowedByOneThatCopies) {
  openWith(SyncPolicy::Always);
  append("a");
  directory.completeSync();
  append("b");
  directory.failSyncs(1);
  killAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a", "b"));
  crashAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a", "b"));
  EXPECT_EQ(run->opened.epoch, epoch);
}

// Also one in its recovery.
TEST_F(SyncTest, AProcessWhoseRecoveryEndedInAFailingSyncIsFollowedByOneThatCopies) {
  for (std::uint64_t step = 1; step < 40; ++step) {
    SCOPED_TRACE(step);
    run.reset();
    directory.kill();
    for (const std::string& name : directory.names()) ASSERT_TRUE(directory.remove(name).ok());
    ASSERT_TRUE(directory.sync().ok());
    openWith(SyncPolicy::Always);
    append("a");
    run.reset();
    directory.kill();
    directory.failSyncs(1);
    directory.dieAtStep(step);
    try {
      run = std::make_unique<LogRun>(directory, options);
      (void)run->log.open(run->state, [] {});
    } catch (const SimulatedDeath&) {
    }
    directory.failSyncs(0);
    killAndOpen();
    ASSERT_THAT(packets(), ElementsAre("a"));
    crashAndOpen();
    ASSERT_THAT(packets(), ElementsAre("a"));
  }
}

// What was on disk before is not copied.
TEST_F(SyncTest, OnlyWhatASyncMayHaveLostIsCopied) {
  options.segmentBytes = 200;
  openWith(SyncPolicy::Always);
  for (int i = 1; i <= 20; ++i) appendNumbers(i, i), completeAll();
  const std::vector<std::string> before = directory.names();
  append("last");
  run.reset();
  directory.kill();
  const std::uint64_t steps = directory.steps();
  open();
  // A copy is at least four: create, write, sync, rename.
  EXPECT_LT(directory.steps() - steps, 4 * before.size());
  EXPECT_EQ(packets().back(), "last");
}

TEST_F(SyncTest, AlwaysGoesOnInItsEpochAfterAReboot) {
  openWith(SyncPolicy::Always);
  append("a");
  directory.completeSync();
  run.reset();
  directory.reboot();
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_FALSE(run->opened.isNewEpoch);
}

// What counts is how the records were written, not how the next process writes.
TEST_F(SyncTest, AlwaysDoesNotTrustRecordsOfAnotherPolicyAfterAReboot) {
  openWith(SyncPolicy::Process);
  append("a");
  run.reset();
  directory.reboot();
  openWith(SyncPolicy::Always);
  EXPECT_TRUE(run->opened.isNewEpoch);
}

TEST_F(SyncTest, FinishWithAlwaysWaitsForAllThatWasAppended) {
  openWith(SyncPolicy::Always);
  append("a");
  append("b");
  bool isFinished = false;
  run->log.finish([&] { isFinished = true; });
  directory.completeSync();
  EXPECT_FALSE(isFinished);
  directory.completeSync();
  EXPECT_THAT(packets(), ElementsAre("a", "b"));
  EXPECT_FALSE(isFinished);  // the mark
  directory.completeSync();
  EXPECT_TRUE(isFinished);
}

// What is applied meanwhile may lead to more: a job is handed to a process that has gone.
TEST_F(SyncTest, RecordsAppendedAfterFinishAreDropped) {
  openWith(SyncPolicy::Always);
  append("a");
  bool isFinished = false;
  run->log.finish([&] { isFinished = true; });
  append("late");
  completeAll();
  append("too late");
  EXPECT_TRUE(isFinished);
  EXPECT_THAT(packets(), ElementsAre("a"));
  killAndOpen();
  EXPECT_THAT(packets(), ElementsAre("a"));
  EXPECT_FALSE(run->opened.isNewEpoch);
}

TEST_F(SyncTest, AFailedSyncAtTheEndIsNoCleanEnd) {
  openWith(SyncPolicy::Process);
  append("a");
  directory.failSyncs(1);
  finish();
  run.reset();
  directory.reboot();
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
}

TEST_F(SyncTest, NoCallbackComesAfterTheLogIsDestroyed) {
  openWith(SyncPolicy::Always);
  append("a");
  run.reset();
  completeAll();
  advance(std::chrono::seconds(1));
}

}  // namespace
}  // namespace stormo::test
