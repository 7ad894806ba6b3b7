#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "sys/address.h"

namespace stormo {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Right {
  const char* url;
  const char* scheme;
  const char* host;
  std::uint16_t port;
};

TEST(SocketUrl, ReadsSchemeHostAndPort) {
  const Right urls[] = {
      {"websocket://0.0.0.0:1234", "websocket", "0.0.0.0", 1234},
      {"frame://example.com:0", "frame", "example.com", 0},
      {"tcp://[::1]:65535", "tcp", "::1", 65535},
      {"text://[2001:db8::7]:80/", "text", "2001:db8::7", 80},
      {"unix:///run/stormo.sock", "unix", "/run/stormo.sock", 0},
      {"unix:///a:b/", "unix", "/a:b/", 0},
  };
  for (const Right& right : urls) {
    const SocketUrl url = parseSocketUrl(right.url);
    EXPECT_EQ(url.scheme, right.scheme) << right.url;
    EXPECT_EQ(url.host, right.host) << right.url;
    EXPECT_EQ(url.port, right.port) << right.url;
    EXPECT_EQ(url.isUnix(), url.scheme == "unix");
  }
}

TEST(SocketUrl, TextReturnsTheParsedUrl) {
  for (const char* url : {"websocket://0.0.0.0:1234", "tcp://[::1]:80", "unix:///run/s"}) {
    EXPECT_EQ(parseSocketUrl(url).text(), url);
  }
}

struct Wrong {
  const char* url;
  const char* message;
};

TEST(SocketUrl, ErrorNamesTheProblemAndShowsTheCorrectForm) {
  const std::string tooLong = "unix:///" + std::string(107, 'p');
  const Wrong urls[] = {
      {"", "no scheme"},
      {"://1.2.3.4:5", "no scheme"},
      {"1.2.3.4:5", "no scheme"},
      {"tcp:/1.2.3.4:5", "no scheme"},
      {"tcp://1.2.3.4", "no port"},
      {"tcp://", "no port"},
      {"tcp://:5", "no host"},
      {"tcp://[]:5", "no host"},
      {"tcp://::1:5", "an IPv6 address needs brackets"},
      {"tcp://[::1]", "the port must follow the bracket"},
      {"tcp://1.2.3.4:", "the port must be a number from 0 to 65535"},
      {"tcp://1.2.3.4:65536", "the port must be a number from 0 to 65535"},
      {"tcp://1.2.3.4:-1", "the port must be a number from 0 to 65535"},
      {"tcp://1.2.3.4:80x", "the port must be a number from 0 to 65535"},
      {"tcp://1.2.3.4:80/path", "the port must be a number from 0 to 65535"},
      {"unix://", "the path is empty or over 107 bytes"},
      {"unix://run/s", "the path must be absolute"},
      {tooLong.c_str(), "the path is empty or over 107 bytes"},
  };
  for (const Wrong& wrong : urls) {
    try {
      parseSocketUrl(wrong.url);
      ADD_FAILURE() << "accepted " << wrong.url;
    } catch (const std::invalid_argument& thrown) {
      EXPECT_THAT(thrown.what(), StartsWith("bad address '" + std::string(wrong.url) + "'"));
      EXPECT_THAT(thrown.what(), HasSubstr(wrong.message));
      EXPECT_THAT(thrown.what(), HasSubstr("scheme://host:port"));
    }
  }
}

}  // namespace
}  // namespace stormo
