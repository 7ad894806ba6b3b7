#include "channel/log/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channel/log/log_fixture.h"
#include "channel/log/offset_name.h"

namespace stormo::channel {
namespace {

using test::recordOf;
using Records = std::vector<std::pair<std::uint64_t, std::string>>;

const SegmentHeader kHeader = {.epoch = 0x65f0, .first = 7, .boot = {1, 2, 3}};

SegmentScan scan(std::string_view file, std::uint64_t end, Records& seen) {
  return scanSegment(file, 7, end, [&](std::uint64_t first, std::string_view records) {
    for (; !records.empty(); ++first) {
      seen.emplace_back(first, trustedRecord(records).packet);
      records.remove_prefix(trustedRecordBytes(records));
    }
  });
}

TEST(Segment, NamesSortLikeOffsets) {
  EXPECT_EQ(segmentName(42), "00000000000000000042.log");
  EXPECT_EQ(offsetOfSegmentName(segmentName(UINT64_MAX)), UINT64_MAX);
  for (const char* name : {"42.log", "0000000000000000004x.log", "00000000000000000042.snapshot",
                           "99999999999999999999.log", "00000000000000000042.log.tmp"}) {
    EXPECT_EQ(offsetOfSegmentName(name), std::nullopt) << name;
  }
}

TEST(Segment, HeaderReadsBack) {
  const std::string bytes = encodeSegmentHeader(kHeader);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  const auto header = readSegmentHeader(bytes + "records");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->epoch, kHeader.epoch);
  EXPECT_EQ(header->first, kHeader.first);
  EXPECT_EQ(header->boot, kHeader.boot);
}

TEST(Segment, ADamagedOrCutHeaderIsRefused) {
  const std::string bytes = encodeSegmentHeader(kHeader);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(readSegmentHeader(bytes.substr(0, n))) << n;
    std::string changed = bytes;
    changed[n] = static_cast<char>(changed[n] ^ 1);
    EXPECT_FALSE(readSegmentHeader(changed)) << n;
  }
}

TEST(Segment, ScanReadsAllRecordsWithTheirOffsets) {
  const std::string file = encodeSegmentHeader(kHeader) + recordOf("a") + recordOf("b");
  Records seen;
  const SegmentScan all = scan(file, UINT64_MAX, seen);
  EXPECT_EQ(all.verdict, RecordVerdict::Ok);
  EXPECT_EQ(all.next, 9u);
  EXPECT_EQ(all.bytes, file.size());
  EXPECT_THAT(seen, testing::ElementsAre(testing::Pair(7, "a"), testing::Pair(8, "b")));
}

TEST(Segment, ScanEndsAtALimit) {
  const std::string file = encodeSegmentHeader(kHeader) + recordOf("a") + recordOf("b");
  Records seen;
  const SegmentScan part = scan(file, 8, seen);
  EXPECT_EQ(part.verdict, RecordVerdict::Ok);
  EXPECT_EQ(part.next, 8u);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Segment, ScanEndsAtTheFirstRecordThatIsNotWhole) {
  const std::string good = encodeSegmentHeader(kHeader) + recordOf("a");
  const std::string second = recordOf("b");
  for (std::size_t n = 1; n < second.size(); ++n) {
    Records seen;
    const SegmentScan cut = scan(good + second.substr(0, n), UINT64_MAX, seen);
    EXPECT_EQ(cut.verdict, RecordVerdict::Incomplete) << n;
    EXPECT_EQ(cut.bytes, good.size()) << n;
    EXPECT_EQ(seen.size(), 1u) << n;
  }
  Records seen;
  std::string damaged = second;
  damaged.back() ^= 1;
  EXPECT_EQ(scan(good + damaged + second, UINT64_MAX, seen).verdict, RecordVerdict::Damaged);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Segment, ScanPassesLongSegmentsInPieces) {
  std::string file = encodeSegmentHeader(kHeader);
  for (int i = 0; i < 5000; ++i) file += recordOf(std::string(100, 'x'));
  std::uint64_t next = 7;
  int pieces = 0;
  scanSegment(file, 7, UINT64_MAX, [&](std::uint64_t first, std::string_view records) {
    EXPECT_EQ(first, next);
    next += countRecords(records);
    ++pieces;
  });
  EXPECT_EQ(next, 5007u);
  EXPECT_GT(pieces, 3);
}

}  // namespace
}  // namespace stormo::channel
