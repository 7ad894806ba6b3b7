// When an existing log begins a new epoch, and when not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"

namespace stormo::test {
namespace {

using channel::SyncPolicy;

class EpochTest : public LogTest {
 protected:
  // A log with ten records in several segments.
  void makeLog() {
    options.segmentBytes = 250;
    open();
    epoch = run->opened.epoch;
    appendNumbers(1, 10);
  }
  void expectNewEpoch(int packetsKept) {
    EXPECT_TRUE(run->opened.isNewEpoch);
    EXPECT_NE(run->opened.epoch, epoch);
    EXPECT_EQ(packets(), numbers(1, packetsKept));
    EXPECT_EQ(run->opened.offset, static_cast<std::uint64_t>(packetsKept));
    // It stays the epoch, and its records follow the old ones.
    const std::uint64_t next = run->opened.epoch;
    append("next");
    killAndOpen();
    EXPECT_EQ(run->opened.epoch, next);
    EXPECT_EQ(packets().size(), static_cast<std::size_t>(packetsKept) + 1);
  }
  void remove(const std::string& name) { ASSERT_TRUE(directory.remove(name).ok()); }

  std::uint64_t epoch = 0;
};

TEST_F(EpochTest, ARebootBeginsOne) {
  makeLog();
  run.reset();
  directory.reboot();
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, ARebootAfterACleanEndDoesNot) {
  makeLog();
  finish();
  run.reset();
  directory.reboot();
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
}

TEST_F(EpochTest, ACleanEndCountsOnlyUntilTheNextStart) {
  makeLog();
  finish();
  killAndOpen();
  run.reset();
  directory.reboot();
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, AMissingMarkBeginsOne) {
  makeLog();
  run.reset();
  remove("mark");
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, ADamagedMarkBeginsOne) {
  makeLog();
  run.reset();
  std::string mark = directory.content("mark");
  mark[20] ^= 1;
  directory.replaceContent("mark", mark);
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, ALogPutBackFromABackupBeginsOne) {
  makeLog();
  const auto backup = directory.copy();
  appendNumbers(11, 20);
  run.reset();
  for (const std::string& name : directory.names()) remove(name);
  directory.restore(backup);
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, ACopyOfTheWholeLogBeginsOne) {
  makeLog();
  finish();
  run.reset();
  const auto backup = directory.copy();
  directory.restore(backup);
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, OlderSegmentsBesideTheMarkBeginOne) {
  makeLog();
  auto backup = directory.copy();
  backup.erase("mark");
  appendNumbers(11, 20);
  run.reset();
  for (const std::string& name : directory.names()) {
    if (name != "mark") remove(name);
  }
  directory.restore(backup);
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, SegmentsOfAnOlderEpochBeginOne) {
  makeLog();
  auto backup = directory.copy();
  backup.erase("mark");
  run.reset();
  directory.reboot();
  open();
  run.reset();
  for (const std::string& name : directory.names()) {
    if (name != "mark") remove(name);
  }
  directory.restore(backup);
  open();
  expectNewEpoch(10);
}

TEST_F(EpochTest, ALostLogBeginsOneAtItsStart) {
  makeLog();
  run.reset();
  for (const std::string& name : directory.names()) {
    if (name != "mark") remove(name);
  }
  open();
  expectNewEpoch(0);
}

TEST_F(EpochTest, EachNewEpochIsAnother) {
  makeLog();
  std::vector<std::uint64_t> epochs = {epoch};
  for (int i = 0; i < 3; ++i) {
    run.reset();
    directory.reboot();
    open();
    EXPECT_THAT(epochs, testing::Not(testing::Contains(run->opened.epoch)));
    epochs.push_back(run->opened.epoch);
    EXPECT_EQ(packets(), numbers(1, 10));
  }
}

TEST_F(EpochTest, RecordsOfOldEpochsStayReadable) {
  makeLog();
  for (int i = 0; i < 3; ++i) {
    run.reset();
    directory.reboot();
    open();
    appendNumbers(11 + i, 11 + i);
  }
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, 13));
}

}  // namespace
}  // namespace stormo::test
