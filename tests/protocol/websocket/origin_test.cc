#include "protocol/websocket/origin.h"

#include <gtest/gtest.h>

namespace stormo::websocket {
namespace {

TEST(Origin, AnEmptyListAllowsAll) {
  EXPECT_TRUE(originAllowed("https://evil.example", {}));
  EXPECT_TRUE(originAllowed("", {}));
}

TEST(Origin, MustBeOnTheList) {
  const std::vector<std::string> allowed = {"https://example.com", "http://localhost:8080"};
  EXPECT_TRUE(originAllowed("https://example.com", allowed));
  EXPECT_TRUE(originAllowed("https://Example.COM", allowed));
  EXPECT_TRUE(originAllowed("http://localhost:8080", allowed));
  EXPECT_TRUE(originAllowed("https://example.com:443", allowed));
  EXPECT_FALSE(originAllowed("http://example.com", allowed));
  EXPECT_FALSE(originAllowed("https://example.com:444", allowed));
  EXPECT_FALSE(originAllowed("https://example.com.evil.example", allowed));
  EXPECT_FALSE(originAllowed("https://evil-example.com", allowed));
  EXPECT_FALSE(originAllowed("https://sub.example.com", allowed));
  EXPECT_FALSE(originAllowed("http://localhost", allowed));
  EXPECT_FALSE(originAllowed("null", allowed));
}

TEST(Origin, AnAbsentOriginIsAllowed) { EXPECT_TRUE(originAllowed("", {"https://example.com"})); }

TEST(Origin, ADefaultPortIsOptional) {
  EXPECT_TRUE(originAllowed("https://chat.example", {"https://chat.example:443"}));
  EXPECT_TRUE(originAllowed("http://chat.example", {"HTTP://chat.example:80"}));
  EXPECT_FALSE(originAllowed("http://chat.example", {"http://chat.example:443"}));
  EXPECT_FALSE(originAllowed("http://chat.example", {"https://chat.example:80"}));
}

TEST(Origin, AStarAllowsAll) {
  for (const char* origin : {"https://evil.example:1", "null", "file://", "anything"}) {
    EXPECT_TRUE(originAllowed(origin, {"*"})) << origin;
  }
}

TEST(Origin, AWildcardMatchesSubdomains) {
  const std::vector<std::string> allowed = {"https://*.Example.com"};
  EXPECT_TRUE(originAllowed("https://chat.example.com", allowed));
  EXPECT_TRUE(originAllowed("https://a.b.example.COM:443", allowed));
  for (const char* origin :
       {"https://example.com", "https://.example.com", "https://evil-example.com",
        "http://chat.example.com", "https://chat.example.com:8443",
        "https://chat.example.com.evil.example", "https://evil.example/.example.com",
        "https://evil.example?.example.com", "https://evil.example#.example.com",
        "https://evil@chat.example.com", "https://evil.example:1.example.com", "null"}) {
    EXPECT_FALSE(originAllowed(origin, allowed)) << origin;
  }
}

TEST(Origin, AWildcardMatchesAnyPort) {
  const std::vector<std::string> allowed = {"http://localhost:*", "http://[::1]:*"};
  for (const char* origin : {"http://localhost", "http://localhost:3000", "http://[::1]:8080"}) {
    EXPECT_TRUE(originAllowed(origin, allowed)) << origin;
  }
  EXPECT_FALSE(originAllowed("https://localhost:3000", allowed));
  EXPECT_FALSE(originAllowed("http://localhost.evil.example:3000", allowed));
  EXPECT_TRUE(originAllowed("https://a.chat.example:8443", {"https://*.chat.example:*"}));
  EXPECT_TRUE(originAllowed("https://whatever.example", {"https://*"}));
}

TEST(Origin, PagesWithoutAHostHaveTheNamesOfBrowsers) {
  EXPECT_TRUE(originAllowed("null", {"null"}));
  EXPECT_TRUE(originAllowed("file://", {"file://"}));
  EXPECT_TRUE(originAllowed("chrome-extension://abcdef", {"chrome-extension://abcdef"}));
  EXPECT_FALSE(originAllowed("null", {"file://"}));
}

TEST(Origin, AnInvalidPatternIsReportedWithWhatToWrite) {
  const std::pair<const char*, const char*> patterns[] = {
      {"chat.example", "'chat.example' has no scheme: write https://chat.example"},
      {"localhost:3000", "'localhost:3000' has no scheme: write https://localhost:3000"},
      {"https://chat.example/",
       "'https://chat.example/' has a path, which no origin has: write https://chat.example"},
      {"https://chat.example:443/", "write https://chat.example:443"},
      {"https://chat.example/page?x", "write https://chat.example"},
      {"wss://chat.example", "is no origin of a page: write https://chat.example"},
      {"ws://localhost:1234", "is no origin of a page: write http://localhost:1234"},
      {"*://chat.example", "has no scheme: write https://chat.example"},
      {"https://chat.*.example", "has a host that no browser sends"},
      {"https://*chat.example", "has a host that no browser sends"},
      {"https://*.", "has a host that no browser sends"},
      {"https://", "has a host that no browser sends"},
      {"https://user@chat.example", "has a host that no browser sends"},
      {"https://perché.example", "write a name in ASCII"},
      {"https://chat.example:http", "has an invalid port"},
      {"https://chat.example:70000", "has an invalid port"},
      {"https://chat.example:0", "has an invalid port"},
      {" https://chat.example", "has no scheme: write https://chat.example"},
      {"", "has no scheme"},
  };
  for (const auto& [pattern, complaint] : patterns) {
    EXPECT_NE(complaintOfOrigin(pattern).find(complaint), std::string::npos)
        << pattern << " gives: " << complaintOfOrigin(pattern);
  }
  for (const char* pattern :
       {"*", "null", "file://", "https://chat.example", "https://chat.example:443",
        "https://*.chat.example:*", "http://localhost:*", "http://[::1]:*", "http://192.0.2.1:80",
        "https://xn--perch-fsa.example", "app://obsidian.md", "chrome-extension://abc_def"}) {
    EXPECT_EQ(complaintOfOrigin(pattern), "");
  }
}

}  // namespace
}  // namespace stormo::websocket
