#include "protocol/proxy/trusted_proxies.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace stormo::proxy {
namespace {

using testing::HasSubstr;

TEST(TrustedProxies, AnEmptyListTrustsNobody) {
  const TrustedProxies none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.trusts(*IpAddress::parse("127.0.0.1")));
  EXPECT_FALSE(none.trustsUnix());
}

TEST(TrustedProxies, TrustsAddressesNetworksAndUnixPeersOfTheList) {
  const TrustedProxies some({"192.0.2.1", "10.0.0.0/8", "fd00::/8"});
  EXPECT_FALSE(some.empty());
  EXPECT_TRUE(some.trusts(*IpAddress::parse("192.0.2.1")));
  EXPECT_TRUE(some.trusts(*IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(some.trusts(*IpAddress::parse("fd12::1")));
  EXPECT_FALSE(some.trusts(*IpAddress::parse("192.0.2.2")));
  EXPECT_FALSE(some.trustsUnix());
  const TrustedProxies unixOnly({"unix"});
  EXPECT_FALSE(unixOnly.empty());
  EXPECT_TRUE(unixOnly.trustsUnix());
}

TEST(TrustedProxies, ComplainsOfTheFirstInvalidEntry) {
  EXPECT_EQ(complaintOfTrustedProxies({"10.0.0.0/8", "unix", "::1"}), "");
  EXPECT_THAT(complaintOfTrustedProxies({"::1", "proxy.example"}),
              HasSubstr("'proxy.example' is not an address (write 10.0.0.5"));
  EXPECT_THAT(complaintOfTrustedProxies({"10.0.0.1/8"}), HasSubstr("'10.0.0.1/8' has bits"));
  EXPECT_THAT(complaintOfTrustedProxies({""}), HasSubstr("'' is not an address"));
  EXPECT_THROW(TrustedProxies({"nobody"}), std::invalid_argument);
}

}  // namespace
}  // namespace stormo::proxy
