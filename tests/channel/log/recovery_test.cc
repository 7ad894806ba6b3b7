// Torn ends, damage, and segments that are missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"
#include "channel/log/segment.h"

namespace stormo::test {
namespace {

class RecoveryTest : public LogTest {
 protected:
  void makeLog(std::uint64_t segmentBytes) {
    options.segmentBytes = segmentBytes;
    open();
    epoch = run->opened.epoch;
    appendNumbers(1, 10);
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const std::string& name : directory.names()) {
      if (name.ends_with(".log")) found.push_back(name);
    }
    return found;
  }
  // The process dies after it has written this to the last segment, before it applies it.
  void writeUnapplied(const std::string& bytes) {
    run.reset();
    directory.replaceContent(lastSegment(), directory.content(lastSegment()) + bytes);
    directory.kill();
  }

  void cutByOneByte(const std::string& name) {
    std::string content = directory.content(name);
    content.pop_back();
    directory.replaceContent(name, content);
  }

  std::uint64_t epoch = 0;
};

TEST_F(RecoveryTest, AWriteCutAtAnyByteIsRemovedInTheSameEpoch) {
  makeLog(1 << 20);
  const std::string record = recordOf("cut");
  for (std::size_t n = 0; n < record.size(); ++n) {
    SCOPED_TRACE(n);
    writeUnapplied(record.substr(0, n));
    open();
    EXPECT_EQ(run->opened.epoch, epoch);
    EXPECT_EQ(packets(), numbers(1, 10));
  }
  append("next");
  killAndOpen();
  EXPECT_EQ(packets().back(), "next");
}

TEST_F(RecoveryTest, WholeRecordsOfACutWriteAreKept) {
  makeLog(1 << 20);
  writeUnapplied(recordOf("packet 11") + recordOf("cut").substr(0, 20));
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 11));
}

TEST_F(RecoveryTest, GarbageAndZeroesAtTheEndAreRemoved) {
  makeLog(1 << 20);
  for (const std::string& garbage : {std::string(100, '\0'), std::string(100, '\xff')}) {
    writeUnapplied(garbage);
    open();
    EXPECT_EQ(run->opened.epoch, epoch);
    EXPECT_EQ(packets(), numbers(1, 10));
  }
}

// A torn write may have lost its first record and kept the second one. Once another record of that
// length is in its place, the second one would follow it.
TEST_F(RecoveryTest, WhatFollowsATornRecordDoesNotComeBack) {
  makeLog(1 << 20);
  std::string damaged = recordOf("lost");
  damaged.back() ^= 1;
  writeUnapplied(damaged + recordOf("phantom"));
  open();
  append("next");
  killAndOpen();
  EXPECT_EQ(packets().size(), 11u);
  EXPECT_EQ(packets().back(), "next");
}

TEST_F(RecoveryTest, ASegmentThatWasBeingCreatedIsReplaced) {
  makeLog(1 << 20);
  const std::string header = channel::encodeSegmentHeader({.epoch = epoch, .first = 11});
  for (std::size_t n = 0; n <= header.size(); ++n) {
    SCOPED_TRACE(n);
    run.reset();
    if (directory.has("00000000000000000011.log")) {
      ASSERT_TRUE(directory.remove("00000000000000000011.log").ok());
    }
    directory.restore({{"00000000000000000011.log", header.substr(0, n)}});
    open();
    EXPECT_EQ(run->opened.epoch, epoch);
    EXPECT_EQ(packets(), numbers(1, 10));
  }
  appendNumbers(11, 12);
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, 12));
}

TEST_F(RecoveryTest, DamageOfAnAppliedRecordEndsTheLogThere) {
  makeLog(1 << 20);
  run.reset();
  std::string content = directory.content(lastSegment());
  content[channel::kSegmentHeaderBytes + 4 * recordOf("packet 1").size() + 10] ^= 1;
  directory.replaceContent(lastSegment(), content);
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_EQ(packets(), numbers(1, 4));
  append("next");
  killAndOpen();
  EXPECT_EQ(packets().size(), 5u);
  EXPECT_FALSE(run->opened.isNewEpoch);
}

TEST_F(RecoveryTest, DamageDiscardsLaterSegments) {
  makeLog(200);
  ASSERT_GE(segments().size(), 4u);
  run.reset();
  const std::string second = segments()[1];
  std::string content = directory.content(second);
  content.back() ^= 1;
  directory.replaceContent(second, content);
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  const std::size_t kept = packets().size();
  EXPECT_GT(kept, 3u);
  EXPECT_LT(kept, 10u);
  EXPECT_EQ(packets(), numbers(1, static_cast<int>(kept)));
  append("next");
  killAndOpen();
  EXPECT_EQ(packets().size(), kept + 1);
}

TEST_F(RecoveryTest, AMissingSegmentEndsTheLogBeforeIt) {
  makeLog(200);
  run.reset();
  const std::string second = segments()[1];
  const auto first = channel::offsetOfSegmentName(second);
  ASSERT_TRUE(directory.remove(second).ok());
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_EQ(packets(), numbers(1, static_cast<int>(*first) - 1));
}

TEST_F(RecoveryTest, ALogWithoutItsStartIsEmpty) {
  makeLog(200);
  run.reset();
  ASSERT_TRUE(directory.remove(segments().front()).ok());
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_EQ(run->opened.offset, 0u);
  appendNumbers(1, 3);
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, 3));
}

TEST_F(RecoveryTest, ASegmentWithAnotherNameIsDamage) {
  makeLog(1 << 20);
  run.reset();
  ASSERT_TRUE(directory.rename(lastSegment(), "00000000000000000000.log").ok());
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
  EXPECT_EQ(run->opened.offset, 0u);
}

TEST_F(RecoveryTest, ASegmentEndsWhereTheNextOneBegins) {
  makeLog(1 << 20);
  run.reset();
  // As after a failed sync, if the removal of the first copy was lost.
  directory.restore({{"00000000000000000009.log",
                      channel::encodeSegmentHeader({.epoch = epoch, .first = 9}) +
                          recordOf("packet 9") + recordOf("packet 10") + recordOf("packet 11")}});
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 11));
}

// The header of a segment shows what was in use when it was created, also where the mark is older.
TEST_F(RecoveryTest, ALaterSegmentShowsThatRecordsAreMissing) {
  options.sync = channel::SyncPolicy::Always;
  options.segmentBytes = 200;
  open();
  epoch = run->opened.epoch;
  const std::string oldMark = directory.content("mark");
  for (int i = 1; i <= 10; ++i) {
    appendNumbers(i, i);
    while (directory.hasPendingSync()) directory.completeSync();
  }
  run.reset();
  directory.replaceContent("mark", oldMark);
  const std::string second = segments()[1];
  cutByOneByte(second);
  directory.reboot();
  open();
  EXPECT_TRUE(run->opened.isNewEpoch);
}

TEST_F(RecoveryTest, AKillAfterDiscardingStillBeginsANewEpoch) {
  for (std::uint64_t step = 1; step < 30; ++step) {
    SCOPED_TRACE(step);
    run.reset();
    directory.kill();
    for (const std::string& name : directory.names()) ASSERT_TRUE(directory.remove(name).ok());
    makeLog(200);
    run.reset();
    const std::string second = segments()[1];
    cutByOneByte(second);
    directory.dieAtStep(step);
    try {
      open();
    } catch (const SimulatedDeath&) {
    }
    killAndOpen();
    EXPECT_NE(run->opened.epoch, epoch);
  }
}

}  // namespace
}  // namespace stormo::test
