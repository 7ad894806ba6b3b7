#include "bench/stamp.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo::bench {
namespace {

constexpr std::uint32_t kPublisherLast = kPublishersMax - 1;
constexpr std::uint32_t kSequenceLast = 0xffff'ffff;
constexpr std::uint64_t kTimeLast = 0xffff'ffff'ffff;

std::string written(const Stamp& stamp) {
  std::string text(kStampBytes, '?');
  writeStamp(stamp, text.data());
  return text;
}

TEST(Stamp, StampIsAMarkAndHexadecimalDigits) {
  EXPECT_EQ(written({.publisher = 0xabcde, .sequence = 0x1234, .sentNs = 0x42}),
            "~abcde"
            "00001234"
            "000000000042");
}

TEST(Stamp, RoundTripsAtTheLimitsOfEachField) {
  for (const std::uint32_t publisher : {0U, 1U, kPublisherLast}) {
    for (const std::uint32_t sequence : {0U, 1U, kSequenceLast}) {
      for (const std::uint64_t sentNs : {std::uint64_t{0}, std::uint64_t{1}, kTimeLast}) {
        const Stamp stamp{.publisher = publisher, .sequence = sequence, .sentNs = sentNs};
        EXPECT_EQ(readStamp(written(stamp)), stamp) << written(stamp);
      }
    }
  }
}

TEST(Stamp, KeepsTheLower48BitsOfTheClock) {
  const auto stamp = readStamp(written({.sentNs = (std::uint64_t{7} << 48) + 5}));
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->sentNs, 5u);
}

TEST(Stamp, StampIsReadAtTheFrontOfALongerText) {
  const Stamp stamp{.publisher = 1, .sequence = 2, .sentNs = 3};
  EXPECT_EQ(readStamp(written(stamp) + "f00"), stamp);
  EXPECT_FALSE(readStamp("x" + written(stamp)));
}

TEST(Stamp, StampCutAtAnyByteIsInvalid) {
  const std::string text = written({.publisher = 1, .sequence = 2, .sentNs = 3});
  for (std::size_t n = 0; n < text.size(); ++n) {
    EXPECT_FALSE(readStamp(std::string_view(text).substr(0, n))) << n;
  }
}

TEST(Stamp, StampWithAWrongByteIsInvalid) {
  const std::string good =
      written({.publisher = kPublisherLast, .sequence = kSequenceLast, .sentNs = kTimeLast});
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      const bool isDigit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
      const bool isGood = at == 0 ? byte == kStampMark : isDigit;
      ASSERT_EQ(readStamp(text).has_value(), isGood) << at << ' ' << byte;
    }
  }
}

TEST(ElapsedNs, ElapsedTimeIsCorrectAfterA48BitWrap) {
  EXPECT_EQ(elapsedNs(5, 5), 0u);
  EXPECT_EQ(elapsedNs(5, 1005), 1000u);
  EXPECT_EQ(elapsedNs(kTimeLast, 0), 1u);
  EXPECT_EQ(elapsedNs(kTimeLast - 9, 90), 100u);
  // The later one is uncut, as the generator passes it.
  EXPECT_EQ(elapsedNs(kTimeLast - 9, (std::uint64_t{3} << 48) + 90), 100u);
}

}  // namespace
}  // namespace stormo::bench
