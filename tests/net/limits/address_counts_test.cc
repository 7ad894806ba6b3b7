#include "net/limits/address_counts.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace stormo::net {
namespace {

std::optional<std::uint64_t> keyOf(const std::string& ip, std::uint16_t port = 1) {
  return addressKey(Address::ip(ip, port).value());
}

TEST(AddressKey, OfAnIpv4AddressIsTheWholeAddressWithoutItsPort) {
  EXPECT_EQ(keyOf("192.0.2.1", 1), keyOf("192.0.2.1", 2));
  EXPECT_NE(keyOf("192.0.2.1"), keyOf("192.0.2.2"));
}

TEST(AddressKey, OfAnIpv6AddressIsItsFirst64Bits) {
  EXPECT_EQ(keyOf("2001:db8:1:2::1"), keyOf("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(keyOf("2001:db8:1:2::1"), keyOf("2001:db8:1:3::1"));
}

TEST(AddressKey, OfAMappedIpv4AddressIsThatOfTheIpv4Address) {
  EXPECT_EQ(keyOf("::ffff:192.0.2.1"), keyOf("192.0.2.1"));
  EXPECT_NE(keyOf("::ffff:192.0.2.1"), keyOf("::ffff:192.0.2.2"));
}

TEST(AddressKey, UnixSocketsHaveNone) {
  EXPECT_EQ(addressKey(Address::unixPath("/run/x").value()), std::nullopt);
  EXPECT_EQ(addressKey(Address()), std::nullopt);
}

TEST(AddressCounts, CountsEachKey) {
  std::array<AddressCounts::Word, 64> words{};
  AddressCounts counts(words);
  const std::uint64_t one = keyOf("192.0.2.1").value();
  const std::uint64_t two = keyOf("192.0.2.2").value();
  EXPECT_EQ(counts.count(one), 0u);
  EXPECT_TRUE(counts.add(one));
  EXPECT_TRUE(counts.add(two));
  EXPECT_TRUE(counts.add(two));
  EXPECT_EQ(counts.count(one), 1u);
  EXPECT_EQ(counts.count(two), 2u);
  counts.subtract(two);
  counts.subtract(one);
  EXPECT_EQ(counts.count(one), 0u);
  EXPECT_EQ(counts.count(two), 1u);
}

TEST(AddressCounts, AFullTableCountsWhatItHasAndTakesOthersWhenThereIsRoom) {
  std::array<AddressCounts::Word, 32> words{};
  AddressCounts counts(words);
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 33; ++i) keys.push_back(keyOf("192.0.2." + std::to_string(i)).value());
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(counts.add(keys[static_cast<std::size_t>(i)]));
  EXPECT_FALSE(counts.add(keys[32]));
  EXPECT_EQ(counts.count(keys[32]), 0u);
  EXPECT_TRUE(counts.add(keys[7]));
  EXPECT_EQ(counts.count(keys[7]), 2u);
  counts.subtract(keys[3]);
  EXPECT_TRUE(counts.add(keys[32]));
  EXPECT_EQ(counts.count(keys[3]), 0u);
}

TEST(AddressCounts, ManyAddressesThatComeAndGoFindAPlace) {
  std::vector<AddressCounts::Word> words(1 << 12);
  AddressCounts counts(words);
  const auto keyOfClient = [](int i) {
    return keyOf("10.1." + std::to_string(i / 256) + '.' + std::to_string(i % 256)).value();
  };
  constexpr int kAtOnce = 1024;
  for (int i = 0; i < 60'000; ++i) {
    ASSERT_TRUE(counts.add(keyOfClient(i))) << i;
    if (i >= kAtOnce) counts.subtract(keyOfClient(i - kAtOnce));
  }
  for (int i = 60'000 - kAtOnce; i < 60'000; ++i) EXPECT_EQ(counts.count(keyOfClient(i)), 1u);
}

}  // namespace
}  // namespace stormo::net
