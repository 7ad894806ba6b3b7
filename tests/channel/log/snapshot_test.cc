#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"
#include "channel/log/snapshot_file.h"

namespace stormo::test {
namespace {

using channel::readSnapshot;
using testing::Contains;
using testing::EndsWith;
using testing::Not;

std::string snapshotOf(const ListState& state, std::uint64_t epoch, std::uint64_t offset) {
  std::string file;
  channel::writeWithTrailer(
      [&](channel::StateWriter& out) {
        channel::writeSnapshotHeader(epoch, offset, out);
        state.save(out);
      },
      [&](std::string_view bytes) { file += bytes; });
  return file;
}

TEST(SnapshotFile, ReadsBack) {
  ListState state;
  state.packets = {"a", "b"};
  const std::string file = snapshotOf(state, 0x65f0, 2);
  const auto snapshot = readSnapshot(file);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->epoch, 0x65f0u);
  EXPECT_EQ(snapshot->offset, 2u);
  channel::StateReader in(snapshot->state);
  ListState restored;
  EXPECT_TRUE(restored.restore(in));
  EXPECT_EQ(restored.packets, state.packets);
}

TEST(SnapshotFile, ADamagedOrCutFileIsRefused) {
  ListState state;
  state.packets = {"a", "b"};
  const std::string file = snapshotOf(state, 0x65f0, 2);
  for (std::size_t n = 0; n < file.size(); ++n) {
    EXPECT_FALSE(readSnapshot(file.substr(0, n))) << n;
    std::string changed = file;
    changed[n] = static_cast<char>(changed[n] ^ 1);
    EXPECT_FALSE(readSnapshot(changed)) << n;
  }
  EXPECT_FALSE(readSnapshot(file + "x"));
}

class SnapshotTest : public LogTest {
 protected:
  SnapshotTest() {
    options.segmentBytes = 300;
    options.totalBytesMax = 1 << 20;
  }
  // Appends until a snapshot is being written. Returns the number of the last packet.
  int fill(int from = 1) {
    int number = from;
    while (!directory.hasPendingSnapshot() && number < from + 1000) {
      appendNumbers(number, number);
      ++number;
    }
    return number - 1;
  }
};

TEST_F(SnapshotTest, ReplacesTheSegmentsThatItCovers) {
  open();
  const int last = fill();
  const std::size_t before = directory.names().size();
  appendNumbers(last + 1, last + 1);
  completeAll();
  EXPECT_LT(directory.names().size(), before);
  EXPECT_TRUE(directory.has(channel::snapshotName(static_cast<std::uint64_t>(last))));
  EXPECT_THAT(directory.names(), Not(Contains(EndsWith(".tmp"))));
  killAndOpen();
  EXPECT_FALSE(run->opened.isNewEpoch);
  EXPECT_EQ(packets(), numbers(1, last + 1));
}

TEST_F(SnapshotTest, ThereIsOnlyOne) {
  open();
  int last = 0;
  for (int i = 0; i < 4; ++i) {
    last = fill(last + 1);
    completeAll();
  }
  std::size_t snapshots = 0;
  for (const std::string& name : directory.names()) snapshots += name.ends_with(".snapshot");
  EXPECT_EQ(snapshots, 1u);
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, last));
}

TEST_F(SnapshotTest, TheNextOneWaitsForAsMuchLogAsTheLastOneIsLong) {
  open();
  int last = 0;
  std::vector<int> lasts;
  for (int i = 0; i < 4; ++i) {
    last = fill(last + 1);
    completeAll();
    lasts.push_back(last);
  }
  EXPECT_GT(lasts[3] - lasts[2], lasts[1] - lasts[0]);
}

TEST_F(SnapshotTest, IsNotNeededForTheLogWhileItIsWritten) {
  open();
  const int last = fill();
  appendNumbers(last + 1, last + 20);
  EXPECT_EQ(packets(), numbers(1, last + 20));
  killAndOpen();  // and the forked process with it
  EXPECT_FALSE(run->opened.isNewEpoch);
  EXPECT_EQ(packets(), numbers(1, last + 20));
  EXPECT_THAT(directory.names(), Not(Contains(EndsWith(".tmp"))));
}

TEST_F(SnapshotTest, AFailureKeepsTheSegmentsAndIsTriedAgainAfterAnotherSegment) {
  open();
  directory.failSnapshots(1);
  const int last = fill();
  completeAll();
  EXPECT_FALSE(directory.has(channel::snapshotName(static_cast<std::uint64_t>(last))));
  appendNumbers(last + 1, last + 1);
  EXPECT_FALSE(directory.hasPendingSnapshot());
  const int next = fill(last + 2);
  EXPECT_GT(next, last + 5);
  completeAll();
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, next));
}

TEST_F(SnapshotTest, ADamagedOneBeginsANewEpochWithWhatIsLeft) {
  open();
  const std::uint64_t epoch = run->opened.epoch;
  const int last = fill();
  completeAll();
  run.reset();
  const std::string name = channel::snapshotName(static_cast<std::uint64_t>(last));
  std::string content = directory.content(name);
  content[40] ^= 1;
  directory.replaceContent(name, content);
  open();
  EXPECT_NE(run->opened.epoch, epoch);
  EXPECT_EQ(run->opened.offset, 0u);
  EXPECT_FALSE(directory.has(name));
}

TEST_F(SnapshotTest, ADamagedOneBesideAWholeLogLosesNothing) {
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 5);
  run.reset();
  directory.restore({{channel::snapshotName(4), "damaged"}});
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 5));
}

TEST_F(SnapshotTest, OneThatTheStateCannotReadIsDiscarded) {
  open();
  appendNumbers(1, 5);
  run.reset();
  ListState state;
  state.packets = {"x"};
  std::string file;
  channel::writeWithTrailer(
      [&](channel::StateWriter& out) {
        channel::writeSnapshotHeader(1, 4, out);
        out.number(1);
        out.number(1000);
      },
      [&](std::string_view bytes) { file += bytes; });
  directory.restore({{channel::snapshotName(4), file}});
  open();
  EXPECT_EQ(packets(), numbers(1, 5));
}

// The process died after the rename, before it removed what the snapshot covers.
TEST_F(SnapshotTest, CoveredFilesThatAreLeftAreRemoved) {
  open();
  const std::uint64_t epoch = run->opened.epoch;
  appendNumbers(1, 30);
  const auto old = directory.copy();
  completeAll();
  run.reset();
  for (const auto& [name, bytes] : old) {
    if (!directory.has(name) && name.ends_with(".log")) directory.restore({{name, bytes}});
  }
  const std::size_t before = directory.names().size();
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  EXPECT_EQ(packets(), numbers(1, 30));
  EXPECT_LT(directory.names().size(), before);
}

// The process dies after it has named the snapshot, the next one in any step of its recovery, and
// then the power fails: what was removed must not be gone before the name is on disk.
TEST_F(SnapshotTest, IsOnDiskBeforeWhatItCoversIsRemoved) {
  options.sync = channel::SyncPolicy::Always;
  for (std::uint64_t step = 1; step <= 400; ++step) {
    SCOPED_TRACE(step);
    run.reset();
    directory.kill();
    for (const std::string& name : directory.names()) ASSERT_TRUE(directory.remove(name).ok());
    ASSERT_TRUE(directory.sync().ok());
    open();
    const std::uint64_t epoch = run->opened.epoch;
    for (int number = 1; !directory.hasPendingSnapshot(); ++number) {
      appendNumbers(number, number);
      while (directory.hasPendingSync()) directory.completeSync();
    }
    const std::size_t applied = packets().size();
    directory.completeSnapshot();
    run.reset();
    directory.kill();
    directory.dieAtStep(1 + step % 20);
    try {
      open();
    } catch (const SimulatedDeath&) {
    }
    run.reset();
    directory.crash();
    open();
    ASSERT_GE(packets().size(), applied);
    EXPECT_EQ(run->opened.epoch, epoch);
  }
}

TEST_F(SnapshotTest, ContainsOnlyWhatWasApplied) {
  options.sync = channel::SyncPolicy::Always;
  open();
  int number = 0;
  while (!directory.hasPendingSnapshot()) {
    ++number;
    appendNumbers(number, number);
    if (number % 2 == 0) directory.completeSync();
  }
  appendNumbers(number + 1, number + 3);
  directory.completeSnapshot();
  completeAll();
  killAndOpen();
  EXPECT_EQ(packets(), numbers(1, number + 3));
  EXPECT_FALSE(run->opened.isNewEpoch);
}

}  // namespace
}  // namespace stormo::test
