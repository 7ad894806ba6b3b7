#include "channel/log/log_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"
#include "protocol/channel/packet.h"

namespace stormo::test {
namespace {

using channel::Kind;
using channel::LogReport;
using channel::Packet;
using channel::Space;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class LogReportTest : public LogTest {
 protected:
  LogReport report() {
    auto read = channel::LogReader(directory).read();
    EXPECT_TRUE(read.ok());
    return read.value();
  }
  void appendPacket(const Packet& packet, std::uint64_t time) {
    std::string record;
    channel::appendRecord({.time = time, .packet = channel::encode(packet).substr(4)}, record);
    run->log.append(record, 1);
  }
  void cutByOneByte(const std::string& name) {
    std::string content = directory.content(name);
    content.pop_back();
    directory.replaceContent(name, content);
  }
};

TEST_F(LogReportTest, AnEmptyDirectoryHasNothing) {
  const LogReport empty = report();
  EXPECT_THAT(empty.segments, IsEmpty());
  EXPECT_THAT(empty.damage, IsEmpty());
  EXPECT_FALSE(empty.mark);
}

TEST_F(LogReportTest, DescribesEachFile) {
  options.segmentBytes = 300;
  open();
  appendNumbers(1, 20);
  completeAll();
  const LogReport found = report();
  ASSERT_FALSE(found.segments.empty());
  for (std::size_t i = 1; i < found.segments.size(); ++i) {
    EXPECT_EQ(found.segments[i].first, found.segments[i - 1].last + 1);
  }
  EXPECT_EQ(found.segments.back().last, 20u);
  EXPECT_EQ(found.segments.back().epoch, run->opened.epoch);
  EXPECT_TRUE(found.segments.back().isOfThisBoot);
  ASSERT_EQ(found.snapshots.size(), 1u);
  EXPECT_TRUE(found.snapshots[0].isValid);
  EXPECT_EQ(found.snapshots[0].epoch, run->opened.epoch);
  EXPECT_EQ(found.snapshots[0].offset + 1, found.segments[0].first);
  ASSERT_TRUE(found.mark);
  EXPECT_EQ(found.mark->offset, 20u);
  EXPECT_TRUE(found.isMarkOwn);
  EXPECT_EQ(found.bytes, directory.usedBytes());
  EXPECT_THAT(found.damage, IsEmpty());
}

TEST_F(LogReportTest, CountsPacketsAndNames) {
  open();
  for (int i = 0; i < 3; ++i) {
    appendPacket({.kind = Kind::Publish, .space = Space::Groups, .channel = "g", .payload = "xy"},
                 1000 + static_cast<std::uint64_t>(i));
  }
  appendPacket(
      {.kind = Kind::IdempotentPublish, .space = Space::Groups, .channel = "h", .payload = "x"},
      2000);
  appendPacket({.kind = Kind::Publish, .channel = "e", .payload = "x"}, 2001);
  appendPacket({.kind = Kind::Enqueue, .channel = "q", .payload = "xyz"}, 2002);
  append("");
  append("Q\xff");
  const LogReport found = report();
  EXPECT_THAT(found.kinds,
              ElementsAre(Pair("Enqueue", 1), Pair("IdempotentPublish", 1), Pair("Publish", 4),
                          Pair("kind 255", 1), Pair("too short", 1)));
  ASSERT_EQ(found.groups.size(), 2u);
  EXPECT_EQ(found.groups[0].name, "g");
  EXPECT_EQ(found.groups[0].count, 3u);
  EXPECT_EQ(found.groups[0].bytes, 6u);
  EXPECT_EQ(found.groups[1].name, "h");
  ASSERT_EQ(found.events.size(), 1u);
  ASSERT_EQ(found.queues.size(), 1u);
  EXPECT_EQ(found.queues[0].bytes, 3u);
  EXPECT_EQ(found.firstTime, 1000u);
  EXPECT_EQ(found.records, 8u);
}

TEST_F(LogReportTest, ListsTheNamesWithMostMessages) {
  open();
  for (int name = 0; name < 30; ++name) {
    for (int i = 0; i <= name; ++i) {
      appendPacket({.kind = Kind::Publish,
                    .space = Space::Groups,
                    .channel = "g" + std::to_string(name),
                    .payload = "x"},
                   1);
    }
  }
  const LogReport found = report();
  ASSERT_EQ(found.groups.size(), LogReport::kNamesMax);
  EXPECT_EQ(found.groups.front().name, "g29");
  EXPECT_EQ(found.groups.back().name, "g20");
}

TEST_F(LogReportTest, ReadsALogInUseWithoutChangingIt) {
  open();
  appendNumbers(1, 5);
  // A write that is going on.
  const std::string name = lastSegment();
  const std::string before = directory.content(name);
  directory.replaceContent(name, before + recordOf("packet 6").substr(0, 20));
  const std::uint64_t steps = directory.steps();
  const LogReport found = report();
  EXPECT_EQ(found.records, 5u);
  EXPECT_EQ(found.incompleteBytes, 20u);
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_EQ(directory.steps(), steps);
}

TEST_F(LogReportTest, ReportsARecordThatWasInUseAsDamage) {
  open();
  appendNumbers(1, 5);
  run.reset();
  cutByOneByte(lastSegment());
  const LogReport found = report();
  ASSERT_EQ(found.damage.size(), 2u);
  EXPECT_EQ(found.damage[0].file, "00000000000000000001.log");
  EXPECT_EQ(found.damage[0].at, 60 + 4 * recordOf("packet 1").size());
  EXPECT_EQ(found.damage[0].what, "offset 5 cannot be read: a record is incomplete");
  EXPECT_EQ(found.damage[1].what, "the log ends before offset 5, which was in use");
}

TEST_F(LogReportTest, ReportsDamageBeforeLaterSegments) {
  options.segmentBytes = 200;
  open();
  appendNumbers(1, 7);
  run.reset();
  cutByOneByte("00000000000000000001.log");
  const LogReport found = report();
  ASSERT_EQ(found.damage.size(), 2u);
  EXPECT_EQ(found.damage[0].what, "offsets 4 to 4 cannot be read: a record is incomplete");
  EXPECT_EQ(found.damage[1].what, "the records 4 to 4 before it are missing");
}

TEST_F(LogReportTest, ReportsMissingSegmentsDamagedHeadersMarksAndSnapshots) {
  options.segmentBytes = 200;
  open();
  appendNumbers(1, 12);
  run.reset();
  ASSERT_TRUE(directory.remove("00000000000000000001.log").ok());
  directory.replaceContent("mark", "x");
  directory.restore({{"00000000000000000003.snapshot", "x"},
                     {"00000000000000000099.log", std::string(100, 'x')}});
  const LogReport found = report();
  std::vector<std::string> whats;
  for (const LogReport::Damage& each : found.damage) whats.push_back(each.what);
  EXPECT_THAT(whats, testing::IsSupersetOf({"the mark is damaged", "the snapshot is damaged",
                                            "the segment's header is damaged"}));
  EXPECT_THAT(whats, testing::Contains(testing::HasSubstr("before it are missing")));
}

}  // namespace
}  // namespace stormo::test
