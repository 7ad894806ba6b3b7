#include "sys/address.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo {
namespace {

TEST(Address, ReadsNumericAddressesAndWritesThemBack) {
  const auto v4 = Address::ip("203.0.113.7", 1234);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->family(), AF_INET);
  EXPECT_EQ(v4->host(), "203.0.113.7");
  EXPECT_EQ(v4->port(), 1234);
  EXPECT_EQ(v4->text(), "203.0.113.7:1234");

  const auto v6 = Address::ip("2001:db8::1", 80);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->family(), AF_INET6);
  EXPECT_EQ(v6->host(), "2001:db8::1");
  EXPECT_EQ(v6->port(), 80);
  EXPECT_EQ(v6->text(), "[2001:db8::1]:80");
}

TEST(Address, RejectsNamesAndMalformedNumbers) {
  for (const char* wrong :
       {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "[::1]", "::1%lo", "1.2.3.4 ", ":::"}) {
    EXPECT_FALSE(Address::ip(wrong, 1)) << wrong;
  }
  EXPECT_FALSE(Address::ip(std::string_view("127.0.0.1\0x", 11), 1));
}

TEST(Address, LoopbackAndUnixAddressesAreLocal) {
  EXPECT_TRUE(Address::ip("127.0.0.1", 1)->isLocal());
  EXPECT_TRUE(Address::ip("127.8.9.10", 1)->isLocal());
  EXPECT_TRUE(Address::ip("::1", 1)->isLocal());
  EXPECT_TRUE(Address::unixPath("/tmp/s")->isLocal());
  EXPECT_FALSE(Address::ip("0.0.0.0", 1)->isLocal());
  EXPECT_FALSE(Address::ip("10.0.0.1", 1)->isLocal());
  EXPECT_FALSE(Address::ip("::", 1)->isLocal());
  EXPECT_FALSE(Address::ip("2001:db8::1", 1)->isLocal());
}

TEST(Address, UnixPathsHaveAtMost107Bytes) {
  const auto address = Address::unixPath("/run/stormo.sock");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->isUnix());
  EXPECT_EQ(address->host(), "/run/stormo.sock");
  EXPECT_EQ(address->port(), 0);
  EXPECT_EQ(address->text(), "unix:///run/stormo.sock");

  const std::string longest = "/" + std::string(106, 'p');
  ASSERT_TRUE(Address::unixPath(longest));
  EXPECT_EQ(Address::unixPath(longest)->host(), longest);
  EXPECT_FALSE(Address::unixPath(longest + "p"));
  EXPECT_FALSE(Address::unixPath(""));
}

TEST(Address, EmptyAddressHasEmptyText) {
  EXPECT_EQ(Address().text(), "");
  EXPECT_EQ(Address().host(), "");
  EXPECT_EQ(Address().port(), 0);
}

TEST(Address, ResolveReturnsANumericAddressUnchanged) {
  const auto numeric = Address::resolve("127.0.0.1", 7);
  ASSERT_TRUE(numeric);
  ASSERT_EQ(numeric.value().size(), 1u);
  EXPECT_EQ(numeric.value().front().text(), "127.0.0.1:7");
}

TEST(Address, LocalhostIsBothLoopbackAddressesWithoutALookup) {
  const std::vector<Address> both = Address::known("localhost", 7);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].text(), "127.0.0.1:7");
  EXPECT_EQ(both[1].text(), "[::1]:7");
  EXPECT_EQ(Address::resolve("localhost", 7).value().size(), 2u);
  EXPECT_TRUE(Address::known("db.example", 7).empty());
}

TEST(Address, AMappedIpv4AddressIsShownAsIpv4) {
  const Address mapped = *Address::ip("::ffff:203.0.113.7", 80);
  EXPECT_EQ(Address::fromRaw(mapped.raw(), mapped.size()).text(), "203.0.113.7:80");
}

TEST(Address, StoredAddressIsReturnedUnchanged) {
  const Address addresses[] = {*Address::ip("127.0.0.1", 7), *Address::ip("::1", 7),
                               *Address::unixPath("/s"),
                               *Address::unixPath("/" + std::string(100, 'x')), Address()};
  for (const Address& address : addresses) {
    EXPECT_EQ(StoredAddress(address).get().text(), address.text());
  }
}

TEST(Address, ErrorOfAnUnknownHostNamesTheStep) {
  const auto unknown = Address::resolve("no host has spaces", 7);
  ASSERT_FALSE(unknown);
  EXPECT_STREQ(unknown.error().step, "getaddrinfo");
  EXPECT_TRUE(unknown.error().message().starts_with("getaddrinfo: ")) << unknown.error().message();
}

}  // namespace
}  // namespace stormo
