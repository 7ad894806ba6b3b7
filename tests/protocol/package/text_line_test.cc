#include "protocol/package/text_line.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(TextLine, CutAtAnyByteNeedsMore) {
  const std::string line = "hello\r\n";
  for (std::size_t n = 0; n < line.size(); ++n) {
    EXPECT_EQ(lineLength(std::string_view(line).substr(0, n), 100), PackageLength::needMore()) << n;
  }
  EXPECT_EQ(lineLength(line, 100), PackageLength::complete(7));
  EXPECT_EQ(lineLength(line + "next\n", 100), PackageLength::complete(7));
}

TEST(TextLine, ALineAboveTheLimitIsInvalidAtThatManyBytes) {
  EXPECT_EQ(lineLength("12345678\n", 9), PackageLength::complete(9));
  EXPECT_EQ(lineLength("12345678", 9), PackageLength::needMore());
  EXPECT_EQ(lineLength("123456789", 9), PackageLength::invalid());
  EXPECT_EQ(lineLength("123456789\n", 9), PackageLength::invalid());
}

TEST(TextLine, DecodingRemovesOneLineEnd) {
  EXPECT_EQ(decodeLine("hello\n"), "hello");
  EXPECT_EQ(decodeLine("hello\r\n"), "hello");
  EXPECT_EQ(decodeLine("hello\r\r\n"), "hello\r");
  EXPECT_EQ(decodeLine("he\rllo\n"), "he\rllo");
  EXPECT_EQ(decodeLine("\n"), "");
  EXPECT_EQ(decodeLine("\r\n"), "");
}

TEST(TextLine, EncodingAddsALineEnd) {
  std::string out = "first\n";
  appendLine("second", out);
  EXPECT_EQ(out, "first\nsecond\n");
  EXPECT_EQ(lineLength(out, 100), PackageLength::complete(6));
}

TEST(TextLine, SearchedBytesAreNotSearchedAgain) {
  EXPECT_EQ(lineLength("a\nb", 100, 2), PackageLength::needMore());
  EXPECT_EQ(lineLength("a\nb\n", 100, 2), PackageLength::complete(4));
  EXPECT_EQ(lineLength("ab", 2, 2), PackageLength::invalid());
}

}  // namespace
}  // namespace stormo
