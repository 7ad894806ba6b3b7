#include "protocol/proxy/ip_address.h"

#include <gtest/gtest.h>

namespace stormo::proxy {
namespace {

bool contains(std::string_view network, std::string_view address) {
  return IpNetwork::parse(network).value().contains(IpAddress::parse(address).value());
}

TEST(IpAddress, ParsesBothFamilies) {
  for (const char* text :
       {"0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::ffff:1"}) {
    ASSERT_TRUE(IpAddress::parse(text)) << text;
    EXPECT_EQ(IpAddress::parse(text)->text(), text);
  }
  EXPECT_TRUE(IpAddress::parse("203.0.113.7")->isV4());
  EXPECT_FALSE(IpAddress::parse("::203.0.113.7")->isV4());
}

TEST(IpAddress, AMappedAddressEqualsTheIPv4Address) {
  EXPECT_EQ(IpAddress::parse("::ffff:203.0.113.7"), IpAddress::parse("203.0.113.7"));
  EXPECT_EQ(IpAddress::parse("::FFFF:cb00:7107")->text(), "203.0.113.7");
}

TEST(IpAddress, RejectsOtherTexts) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "localhost"sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, " 1.2.3.4"sv, "1.2.3.4 "sv,
        "1.2.3.4:5"sv, "[::1]"sv, "fe80::1%eth0"sv, ":::"sv, "1.2.3.4\0"sv, "unknown"sv,
        "00000000000000000000000000000000000000000000000001.2.3.4"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpNetwork, ContainsTheAddressesWithItsPrefix) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(contains("192.0.2.1/32", "::ffff:192.0.2.1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(IpNetwork, OneFamilyDoesNotContainTheOther) {
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.7"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("::/0", "::1"));
  EXPECT_FALSE(contains("::/0", "203.0.113.7"));
}

TEST(IpNetwork, RejectsBitsBeyondThePrefixAndOtherTexts) {
  for (const char* text : {"10.0.0.1/8", "fd00::1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "/8",
                           "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "10/8", "example/8"}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
}

}  // namespace
}  // namespace stormo::proxy
