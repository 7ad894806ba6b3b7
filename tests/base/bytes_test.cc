#include "base/bytes.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(Bytes, IntegersAreWrittenInNetworkOrderAtAnyAlignment) {
  char memory[12] = {};
  storeBigEndian<std::uint32_t>(memory + 1, 0x01020304);
  EXPECT_EQ(std::string_view(memory + 1, 4), std::string_view("\x01\x02\x03\x04", 4));
  storeBigEndian<std::uint16_t>(memory + 5, 0x0506);
  EXPECT_EQ(std::string_view(memory + 5, 2), "\x05\x06");
  storeBigEndian<std::uint8_t>(memory + 7, 0x07);
  EXPECT_EQ(memory[7], 0x07);
}

TEST(Bytes, ReadReturnsTheWrittenInteger) {
  char memory[9];
  constexpr std::uint64_t kValues[] = {0, 1, 0x8000'0000'0000'0001, 0xffff'ffff'ffff'fffe,
                                       0x0123'4567'89ab'cdef};
  for (const std::uint64_t value : kValues) {
    storeBigEndian(memory + 1, value);
    EXPECT_EQ(loadBigEndian<std::uint64_t>(memory + 1), value);
    storeBigEndian(memory + 1, static_cast<std::uint32_t>(value));
    EXPECT_EQ(loadBigEndian<std::uint32_t>(memory + 1), static_cast<std::uint32_t>(value));
    storeBigEndian(memory + 1, static_cast<std::uint16_t>(value));
    EXPECT_EQ(loadBigEndian<std::uint16_t>(memory + 1), static_cast<std::uint16_t>(value));
  }
}

}  // namespace
}  // namespace stormo
