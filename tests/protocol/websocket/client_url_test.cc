#include "protocol/websocket/client_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace stormo::websocket {
namespace {

using testing::HasSubstr;

std::string complaint(std::string_view url) {
  try {
    (void)parseClientUrl(url);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "";
}

TEST(ClientUrl, HasHostPortAndTarget) {
  const ClientUrl url = parseClientUrl("ws://chat.example:1234/rooms/1?name=Ada%20L&x=/?");
  EXPECT_FALSE(url.secure);
  EXPECT_EQ(url.host, "chat.example");
  EXPECT_EQ(url.port, 1234);
  EXPECT_EQ(url.target, "/rooms/1?name=Ada%20L&x=/?");
  EXPECT_EQ(url.authority(), "chat.example:1234");
}

TEST(ClientUrl, WithoutPathThePathIsASlash) {
  EXPECT_EQ(parseClientUrl("ws://h").target, "/");
  EXPECT_EQ(parseClientUrl("ws://h/").target, "/");
  EXPECT_EQ(parseClientUrl("ws://h?x=1").target, "/?x=1");
  EXPECT_EQ(parseClientUrl("ws://h:81?x=1").target, "/?x=1");
}

TEST(ClientUrl, ADefaultPortIsNotInTheAuthority) {  // RFC 6455 4.1
  EXPECT_EQ(parseClientUrl("ws://h").port, 80);
  EXPECT_EQ(parseClientUrl("wss://h").port, 443);
  EXPECT_EQ(parseClientUrl("ws://h:80").authority(), "h");
  EXPECT_EQ(parseClientUrl("wss://h:443").authority(), "h");
  EXPECT_EQ(parseClientUrl("ws://h:443").authority(), "h:443");
  EXPECT_EQ(parseClientUrl("wss://h:80").authority(), "h:80");
}

TEST(ClientUrl, AnIpv6AddressHasBracketsInTheAuthorityOnly) {
  const ClientUrl url = parseClientUrl("ws://[2001:db8::1]:8080/x");
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.authority(), "[2001:db8::1]:8080");
  EXPECT_EQ(parseClientUrl("ws://[::1]").authority(), "[::1]");
}

TEST(ClientUrl, TheSchemeDisregardsCase) {
  EXPECT_TRUE(parseClientUrl("WSS://h").secure);
  EXPECT_TRUE(hasClientScheme("Ws://h"));
  for (const char* other : {"websocket://h", "http://h", "wsx://h", "ws:/h", "ws", "", "://h"}) {
    EXPECT_FALSE(hasClientScheme(other)) << other;
  }
}

TEST(ClientUrl, AnInvalidOneIsExplained) {
  EXPECT_EQ(complaint("ws:///path"),
            "bad URL 'ws:///path': no host (write ws://host[:port][/path][?query])");
  EXPECT_THAT(complaint("http://h"), HasSubstr("scheme"));
  EXPECT_THAT(complaint("ws://:80"), HasSubstr("no host"));
  EXPECT_THAT(complaint("ws://[::1"), HasSubstr("bracket is not closed"));
  EXPECT_THAT(complaint("ws://[h]"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(complaint("ws://[1.2.3.4]"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(complaint("ws://[fe80::1%25eth0]"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(complaint("ws://[::1]80"), HasSubstr("must follow the bracket"));
  EXPECT_THAT(complaint("ws://::1"), HasSubstr("no host"));
  EXPECT_THAT(complaint("ws://fe80::1:80"), HasSubstr("needs brackets"));
  for (const char* port : {"", "0", "65536", "-1", "80x", "+1"}) {
    EXPECT_THAT(complaint(std::string("ws://h:") + port), HasSubstr("from 1 to 65535")) << port;
  }
  EXPECT_THAT(complaint("ws://user:pass@h/"), HasSubstr("Authorization"));
  EXPECT_THAT(complaint("ws://h/#top"), HasSubstr("%23"));
  EXPECT_THAT(complaint("ws://h#top"), HasSubstr("%23"));
  EXPECT_THAT(complaint("ws://h/a b"), HasSubstr("percent-encoded"));
  EXPECT_THAT(complaint("ws://h/\r\nX: 1"), HasSubstr("percent-encoded"));
  EXPECT_THAT(complaint("ws://h/perch\xc3\xa9"), HasSubstr("percent-encoded"));
  EXPECT_THAT(complaint("ws://m\xc3\xbcnchen.example"), HasSubstr("character"));
  EXPECT_THAT(complaint("ws://h\r\nX: 1/"), HasSubstr("character"));
}

}  // namespace
}  // namespace stormo::websocket
