#include "channel/log/record.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace stormo::channel {
namespace {

std::string encoded(const Record& record) {
  std::string out;
  appendRecord(record, out);
  return out;
}

const Record kRecord = {.time = 1764170000123, .producerId = 0x0123456789abcdef, .packet = "ciao"};

TEST(LogRecord, ReadsWhatWasAppended) {
  const std::string bytes = encoded(kRecord) + encoded({.time = 7});
  const RecordRead read = readRecord(bytes);
  ASSERT_EQ(read.verdict, RecordVerdict::Ok);
  EXPECT_EQ(read.bytes, kRecordHeaderBytes + 4);
  EXPECT_EQ(read.record.time, kRecord.time);
  EXPECT_EQ(read.record.producerId, kRecord.producerId);
  EXPECT_EQ(read.record.packet, "ciao");
  const RecordRead second = readRecord(std::string_view(bytes).substr(read.bytes));
  ASSERT_EQ(second.verdict, RecordVerdict::Ok);
  EXPECT_EQ(second.record.packet, "");
}

TEST(LogRecord, TrustedReadersGiveTheSame) {
  const std::string bytes = encoded(kRecord) + encoded({.time = 7});
  EXPECT_EQ(trustedRecord(bytes).time, kRecord.time);
  EXPECT_EQ(trustedRecord(bytes).producerId, kRecord.producerId);
  EXPECT_EQ(trustedRecord(bytes).packet, "ciao");
  EXPECT_EQ(trustedRecordBytes(bytes), kRecordHeaderBytes + 4);
  EXPECT_EQ(countRecords(bytes), 2u);
}

TEST(LogRecord, CutAtAnyByteIsIncomplete) {
  const std::string bytes = encoded(kRecord);
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    EXPECT_EQ(readRecord(std::string_view(bytes).substr(0, n)).verdict, RecordVerdict::Incomplete)
        << n;
  }
}

TEST(LogRecord, AnyChangedBitIsNoticed) {
  const std::string bytes = encoded(kRecord);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_NE(readRecord(changed).verdict, RecordVerdict::Ok) << at << ' ' << bit;
    }
  }
}

TEST(LogRecord, AnImpossibleLengthIsDamageAtOnce) {
  std::string bytes(4, '\0');
  for (std::uint32_t length = 0; length < kRecordHeaderBytes; ++length) {
    storeBigEndian(bytes.data(), length);
    EXPECT_EQ(readRecord(bytes).verdict, RecordVerdict::Damaged) << length;
  }
}

}  // namespace
}  // namespace stormo::channel
