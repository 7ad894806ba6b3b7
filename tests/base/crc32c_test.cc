#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo {
namespace {

TEST(Crc32c, GivesTheKnownValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283);
  // RFC 3720 appendix B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, IsTheSameByTableAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(crc32c(bytes), crc32cByTable(bytes)) << i;
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Crc32c, IsTheSameInPieces) {
  const std::string bytes = "the quick brown fox jumps over the lazy dog";
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    EXPECT_EQ(crc32c(bytes.substr(n), crc32c(bytes.substr(0, n))), crc32c(bytes)) << n;
  }
}

}  // namespace
}  // namespace stormo
