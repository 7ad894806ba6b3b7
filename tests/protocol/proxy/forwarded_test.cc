#include "protocol/proxy/forwarded.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo::proxy {
namespace {

using Fields = std::vector<HttpHeader>;

const TrustedProxies kTrusted({"10.0.0.0/8", "fd00::/8"});

std::string textOf(const std::optional<IpEndpoint>& client) {
  if (!client) return "none";
  return client->address.text() + ' ' + std::to_string(client->port);
}

std::string client(ForwardedHeader header, Fields fields) {
  HttpRequest request;
  request.headers = std::move(fields);
  const ForwardedClient found = forwardedClient(request, header, kTrusted);
  return found.isMalformed ? "malformed" : textOf(found.client);
}
std::string xForwardedFor(const std::string& value) {
  return client(ForwardedHeader::XForwardedFor, {{"X-Forwarded-For", value}});
}
std::string forwarded(const std::string& value) {
  return client(ForwardedHeader::Forwarded, {{"Forwarded", value}});
}

TEST(ParseNode, TakesAddressesWithAndWithoutPorts) {
  EXPECT_EQ(textOf(parseNode("203.0.113.7")), "203.0.113.7 0");
  EXPECT_EQ(textOf(parseNode("203.0.113.7:1234")), "203.0.113.7 1234");
  EXPECT_EQ(textOf(parseNode("203.0.113.7:_x")), "203.0.113.7 0");
  EXPECT_EQ(textOf(parseNode("2001:db8::7")), "2001:db8::7 0");
  EXPECT_EQ(textOf(parseNode("[2001:db8::7]")), "2001:db8::7 0");
  EXPECT_EQ(textOf(parseNode("[2001:db8::7]:1234")), "2001:db8::7 1234");
  EXPECT_EQ(textOf(parseNode("[::ffff:203.0.113.7]:1")), "203.0.113.7 1");
}

TEST(ParseNode, TakesNothingElse) {
  for (const char* node :
       {"", "unknown", "_hidden", "203.0.113.7:", "203.0.113.7:65536", "203.0.113.7:x", "[::1",
        "[::1]x", "[::1]:", "[203.0.113.7]", ":80", "[]:80", "203.0.113.7:_", "localhost:80"}) {
    EXPECT_FALSE(parseNode(node)) << node;
  }
}

TEST(XForwardedFor, TheRightmostAddressThatIsNotTrustedIsTheClients) {
  EXPECT_EQ(xForwardedFor("203.0.113.7"), "203.0.113.7 0");
  EXPECT_EQ(xForwardedFor("203.0.113.7, 10.0.0.1,10.0.0.2"), "203.0.113.7 0");
  EXPECT_EQ(xForwardedFor("6.6.6.6, 203.0.113.7:99, fd00::1"), "203.0.113.7 99");
  EXPECT_EQ(xForwardedFor("10.0.0.9, 203.0.113.7"), "203.0.113.7 0");
}

TEST(XForwardedFor, TheLeftmostIsTheClientsIfAllAreTrusted) {
  EXPECT_EQ(xForwardedFor("10.0.0.1, 10.0.0.2"), "10.0.0.1 0");
}

TEST(XForwardedFor, AnEntryWithoutAnAddressEndsTheSearch) {
  EXPECT_EQ(xForwardedFor("6.6.6.6, unknown, 10.0.0.2"), "10.0.0.2 0");
  EXPECT_EQ(xForwardedFor("6.6.6.6, unknown"), "none");
  EXPECT_EQ(xForwardedFor("6.6.6.6, <script>, 203.0.113.7"), "203.0.113.7 0");
}

TEST(XForwardedFor, EmptyEntriesAreIgnored) {
  EXPECT_EQ(xForwardedFor(""), "none");
  EXPECT_EQ(xForwardedFor(" , ,"), "none");
  EXPECT_EQ(xForwardedFor("203.0.113.7, ,10.0.0.1, "), "203.0.113.7 0");
}

TEST(XForwardedFor, SeveralFieldsAreOneList) {
  EXPECT_EQ(client(ForwardedHeader::XForwardedFor, {{"X-Forwarded-For", "6.6.6.6, 203.0.113.7"},
                                                    {"Host", "x"},
                                                    {"x-forwarded-for", "10.0.0.1"}}),
            "203.0.113.7 0");
}

TEST(ForwardedClient, OtherHeadersAreIgnored) {
  const Fields all = {
      {"X-Forwarded-For", "192.0.2.1"}, {"X-Real-IP", "192.0.2.2"}, {"Forwarded", "for=192.0.2.3"}};
  EXPECT_EQ(client(ForwardedHeader::XForwardedFor, all), "192.0.2.1 0");
  EXPECT_EQ(client(ForwardedHeader::XRealIp, all), "192.0.2.2 0");
  EXPECT_EQ(client(ForwardedHeader::Forwarded, all), "192.0.2.3 0");
  EXPECT_EQ(client(ForwardedHeader::XRealIp, {all[0], all[2]}), "none");
}

TEST(XRealIp, TheLastFieldCounts) {
  EXPECT_EQ(client(ForwardedHeader::XRealIp, {{"X-Real-IP", "6.6.6.6"}, {"X-Real-Ip", "::7"}}),
            "::7 0");
  EXPECT_EQ(client(ForwardedHeader::XRealIp, {{"X-Real-IP", "6.6.6.6, 7.7.7.7"}}), "none");
}

TEST(Forwarded, ReadsTheExamplesOfRfc7239) {
  EXPECT_EQ(forwarded("for=\"_gazonk\""), "none");
  EXPECT_EQ(forwarded("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17 4711");
  EXPECT_EQ(forwarded("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60 0");
  EXPECT_EQ(forwarded("for=192.0.2.43, for=198.51.100.17"), "198.51.100.17 0");
}

TEST(Forwarded, TheRightmostAddressThatIsNotTrustedIsTheClients) {
  EXPECT_EQ(forwarded("for=6.6.6.6, for=\"203.0.113.7:99\";proto=https ,for=10.0.0.1"),
            "203.0.113.7 99");
  EXPECT_EQ(forwarded("for=6.6.6.6, for=unknown, for=10.0.0.1"), "10.0.0.1 0");
  EXPECT_EQ(forwarded("for=6.6.6.6, proto=http"), "none");
  EXPECT_EQ(client(ForwardedHeader::Forwarded,
                   {{"Forwarded", "for=203.0.113.7"}, {"Forwarded", "for=10.0.0.1"}}),
            "203.0.113.7 0");
}

TEST(Forwarded, QuotedTextHidesSeparatorsAndEscapes) {
  EXPECT_EQ(forwarded("for=203.0.113.7;host=\"a, for=6.6.6.6;\\\"\""), "203.0.113.7 0");
  EXPECT_EQ(forwarded("for=\"203.0.113\\.7\""), "203.0.113.7 0");
}

TEST(Forwarded, AddressesWithoutQuotesAreAccepted) {
  EXPECT_EQ(forwarded("for=203.0.113.7:99"), "203.0.113.7 99");
  EXPECT_EQ(forwarded("for=[2001:db8::7]:99;proto=http"), "2001:db8::7 99");
}

TEST(Forwarded, EmptyElementsAndPairsAreIgnored) {
  EXPECT_EQ(forwarded(""), "none");
  EXPECT_EQ(forwarded(", ,for=203.0.113.7;, ,;,"), "203.0.113.7 0");
}

TEST(Forwarded, AClientCannotHideWhatAProxyAppends) {
  // The proxy has appended ", for=203.0.113.7" or an address in quotes.
  for (const char* value :
       {"for=\"6.6.6.6, for=203.0.113.7", "for=\"\\, for=203.0.113.7",
        "for=\"6.6.6.6, for=\"[2001:db8::7]:1\"", "for=6.6.6.6;x=\", for=\"[2001:db8::7]\"",
        "for, for=203.0.113.7", "=6.6.6.6", "for=", "for=6.6.6.6 for=7.7.7.7",
        "for=6.6.6.6;for=7.7.7.7", "for=\"6.6.6.6\"x", "for=6.6.6.6\""}) {
    EXPECT_EQ(forwarded(value), "malformed") << value;
  }
}

TEST(ForwardedHeaderNamed, KnowsThreeNames) {
  EXPECT_EQ(forwardedHeaderNamed("X-Forwarded-For"), ForwardedHeader::XForwardedFor);
  EXPECT_EQ(forwardedHeaderNamed("x-real-ip"), ForwardedHeader::XRealIp);
  EXPECT_EQ(forwardedHeaderNamed("Forwarded"), ForwardedHeader::Forwarded);
  EXPECT_EQ(forwardedHeaderNamed("Via"), std::nullopt);
}

}  // namespace
}  // namespace stormo::proxy
