#include "protocol/proxy/proxy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo::proxy {
namespace {

using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string version2(int versionAndCommand, int family, const std::string& rest) {
  std::string header = kSignature;
  header += static_cast<char>(versionAndCommand);
  header += static_cast<char>(family);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  return header + rest;
}

// 203.0.113.7:4660 to 192.0.2.1:443.
const std::string kAddresses4 = "\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x34\x01\xbb"s;
const std::string kAddresses6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07"s +
                                std::string(15, '\0') + "\x01\x12\x34\x01\xbb"s;
const std::string kTlv = "\x04\x00\x03\x61\x62\x63"s;

/// The client in a valid header, followed by bytes of the client: "203.0.113.7 4660"; "none".
std::string clientIn(const std::string& wire) {
  ProxyHeader header;
  if (decodeProxyHeader(wire + "GET /", header) != ProxyDecode::Ok) return "not Ok";
  EXPECT_EQ(header.bytes, wire.size());
  if (!header.client) return "none";
  return header.client->address.text() + ' ' + std::to_string(header.client->port);
}

ProxyDecode verdictOf(const std::string& wire) {
  ProxyHeader header;
  return decodeProxyHeader(wire, header);
}

TEST(ProxyHeader, Version1HasTheClientsAddress) {
  EXPECT_EQ(clientIn("PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n"), "203.0.113.7 4660");
  EXPECT_EQ(clientIn("PROXY TCP6 2001:db8::7 ::1 4660 443\r\n"), "2001:db8::7 4660");
  EXPECT_EQ(clientIn("PROXY TCP6 ::ffff:203.0.113.7 ::1 0 65535\r\n"), "203.0.113.7 0");
  EXPECT_EQ(clientIn("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535");
}

TEST(ProxyHeader, Version1MayNotKnowTheClient) {
  EXPECT_EQ(clientIn("PROXY UNKNOWN\r\n"), "none");
  EXPECT_EQ(clientIn("PROXY UNKNOWN ffff::1 anything at all\r\n"), "none");
}

TEST(ProxyHeader, Version1OfAnotherFormIsMalformed) {
  for (const char* wire : {"PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\n",
                           "PROXY TCP4 203.0.113.7 192.0.2.1 4660\r\n",
                           "PROXY TCP4 203.0.113.7 192.0.2.1 4660 443 \r\n",
                           "PROXY TCP4\r\n",
                           "PROXY \r\n",
                           "PROXY  TCP4 203.0.113.7 192.0.2.1 4660 443\r\n",
                           "PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY TCP4  203.0.113.7 192.0.2.1 4660 443\r\n",
                           "PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",
                           "PROXY TCP4 2001:db8::7 ::1 4660 443\r\n",
                           "PROXY TCP6 203.0.113.7 192.0.2.1 4660 443\r\n",
                           "PROXY TCP4 203.0.113.7 192.0.2.1 04660 443\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rX",
                           "PROXY\tTCP4",
                           "GET / HTTP/1.1\r\n",
                           "PROXYTCP4",
                           "proxy ",
                           "\n",
                           "X"}) {
    EXPECT_EQ(verdictOf(wire), ProxyDecode::Malformed) << wire;
  }
}

TEST(ProxyHeader, ALineOfVersion1HasAtMost107Bytes) {
  const std::string line = "PROXY UNKNOWN" + std::string(92, ' ');
  EXPECT_EQ(clientIn(line + "\r\n"), "none");
  EXPECT_EQ(verdictOf(line + " \r\n"), ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf(line + " "), ProxyDecode::NeedMore);
  EXPECT_EQ(verdictOf(line + "  "), ProxyDecode::Malformed);
}

TEST(ProxyHeader, Version2HasTheClientsAddress) {
  EXPECT_EQ(clientIn(version2(0x21, 0x11, kAddresses4)), "203.0.113.7 4660");
  EXPECT_EQ(clientIn(version2(0x21, 0x21, kAddresses6)), "2001:db8::7 4660");
}

TEST(ProxyHeader, Version2FieldsAfterTheAddressesAreSkipped) {
  EXPECT_EQ(clientIn(version2(0x21, 0x11, kAddresses4 + kTlv)), "203.0.113.7 4660");
  EXPECT_EQ(clientIn(version2(0x21, 0x21, kAddresses6 + kTlv + kTlv)), "2001:db8::7 4660");
}

TEST(ProxyHeader, Version2MayNotKnowTheClient) {
  EXPECT_EQ(clientIn(version2(0x20, 0x00, "")), "none");
  EXPECT_EQ(clientIn(version2(0x20, 0x11, kAddresses4)), "none");
  EXPECT_EQ(clientIn(version2(0x20, 0xff, kTlv)), "none");
  EXPECT_EQ(clientIn(version2(0x21, 0x00, kTlv)), "none");
  EXPECT_EQ(clientIn(version2(0x21, 0x31, std::string(216, 'x'))), "none");
  EXPECT_EQ(clientIn(version2(0x21, 0x12, kAddresses4)), "none");
}

TEST(ProxyHeader, Version2OfAnotherFormIsMalformedAtItsFirstWrongByte) {
  EXPECT_EQ(verdictOf(kSignature + "\x11"), ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf(kSignature + "\x22"), ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf(kSignature + "\x21\x13"), ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf(kSignature + "\x21\x41"), ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf(version2(0x21, 0x11, kAddresses4.substr(1)).substr(0, 16)),
            ProxyDecode::Malformed);
  EXPECT_EQ(verdictOf("\r\n\r\n\r"), ProxyDecode::Malformed);
}

TEST(ProxyHeader, Version2HasAMaximumLength) {
  const std::string longest(kProxyHeaderBytesMax - 16, 't');
  EXPECT_EQ(clientIn(version2(0x20, 0, longest)), "none");
  EXPECT_EQ(verdictOf(version2(0x20, 0, longest + 't').substr(0, 16)), ProxyDecode::Malformed);
}

TEST(ProxyHeader, CutAtAnyByteAsksForMoreAndLeavesOutUntouched) {
  for (const std::string& wire :
       {"PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n"s, "PROXY UNKNOWN\r\n"s,
        version2(0x21, 0x11, kAddresses4 + kTlv), version2(0x20, 0, ""s)}) {
    for (std::size_t n = 0; n < wire.size(); ++n) {
      ProxyHeader header{.bytes = 99};
      EXPECT_EQ(decodeProxyHeader(wire.substr(0, n), header), ProxyDecode::NeedMore) << n;
      EXPECT_EQ(header.bytes, 99U) << n;
    }
  }
}

}  // namespace
}  // namespace stormo::proxy
