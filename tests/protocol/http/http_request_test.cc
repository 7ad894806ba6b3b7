#include "protocol/http/http_request.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo {
namespace {

constexpr std::size_t kHeadBytesMax = 8192;

const std::string kUpgrade =
    "GET /chat?room=1&name=J%C3%B6rg HTTP/1.1\r\n"
    "Host: server.example.com\r\n"
    "Upgrade: websocket\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";

HeadDecode verdictOf(std::string_view in, std::size_t headBytesMax = kHeadBytesMax) {
  HttpRequest request;
  std::size_t headBytes = 0;
  return decodeHead(in, headBytesMax, request, headBytes);
}

/// The request of a valid head.
HttpRequest parse(std::string_view in) {
  HttpRequest request;
  std::size_t headBytes = 0;
  EXPECT_EQ(decodeHead(in, kHeadBytesMax, request, headBytes), HeadDecode::Ok) << in;
  return request;
}

TEST(HttpHead, OfAnUpgradeIsRead) {
  HttpRequest request;
  std::size_t headBytes = 0;
  const std::string in = kUpgrade + "\x81\x85 frame bytes that came along";
  ASSERT_EQ(decodeHead(in, kHeadBytesMax, request, headBytes), HeadDecode::Ok);
  EXPECT_EQ(headBytes, kUpgrade.size());
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/chat?room=1&name=J%C3%B6rg");
  EXPECT_EQ(request.path, "/chat");
  EXPECT_EQ(request.query, "room=1&name=J%C3%B6rg");
  EXPECT_EQ(request.versionMinor, 1);
  ASSERT_EQ(request.headers.size(), 5u);
  EXPECT_EQ(request.headers[0].name, "Host");
  EXPECT_EQ(request.headers[0].value, "server.example.com");
  EXPECT_EQ(request.headers[4].name, "Sec-WebSocket-Version");
}

HttpRequest withQuery(std::string_view query) {
  HttpRequest request;
  request.query = query;
  return request;
}

HttpRequest withCookies(std::initializer_list<const char*> values) {
  HttpRequest request;
  for (const char* value : values) request.headers.push_back({"cookie", value});
  return request;
}

TEST(HttpRequest, QueryValueIsPercentDecoded) {
  const HttpRequest request = withQuery("room=1&name=J%C3%B6rg+%2b%26%3d&empty=&flag&%61%3D=b=c");
  EXPECT_EQ(request.queryValue("room"), "1");
  EXPECT_EQ(request.queryValue("name"), "J\xc3\xb6rg +&=");
  EXPECT_EQ(request.queryValue("empty"), "");
  EXPECT_EQ(request.queryValue("flag"), "");
  EXPECT_EQ(request.queryValue("a="), "b=c");
  EXPECT_EQ(request.queryValue("a"), std::nullopt);
  EXPECT_EQ(request.queryValue("ROOM"), std::nullopt);
  EXPECT_EQ(request.queryValue(""), std::nullopt);
  EXPECT_EQ(withQuery("").queryValue("room"), std::nullopt);
  EXPECT_EQ(withQuery("z=%00%ff").queryValue("z"), std::string("\0\xff", 2));
  EXPECT_EQ(parse(kUpgrade).queryValue("name"), "J\xc3\xb6rg");
}

TEST(HttpRequest, QueryValueIsTheFirstOfEqualNamesAndIgnoresInvalidEscapes) {
  EXPECT_EQ(withQuery("a=1&a=2").queryValue("a"), "1");
  EXPECT_EQ(withQuery("&&=x&a=1").queryValue("a"), "1");
  EXPECT_EQ(withQuery("=x").queryValue(""), "x");
  for (const char* bad : {"%", "%4", "%zz", "%4g", "%g4", "x%", "% 41"}) {
    EXPECT_EQ(withQuery("a=" + std::string(bad)).queryValue("a"), std::nullopt) << bad;
    EXPECT_EQ(withQuery("a=" + std::string(bad) + "&a=2").queryValue("a"), "2") << bad;
    EXPECT_EQ(withQuery(std::string(bad) + "=1&a=2").queryValue("a"), "2") << bad;
    EXPECT_EQ(withQuery(std::string(bad) + "=1").queryValue(bad), std::nullopt) << bad;
  }
}

TEST(HttpRequest, AQueryCutAtAnyByteGivesWhatIsWhole) {
  const std::string query = "a=%41&token=J%C3%B6";
  for (std::size_t n = 0; n <= query.size(); ++n) {
    const std::string cut(query, 0, n);  // its own allocation: a sanitizer sees reads beyond it
    const HttpRequest request = withQuery(cut);
    const bool hasA = n == 1 || n == 2 || n >= 5;
    EXPECT_EQ(request.queryValue("a").has_value(), hasA) << cut;
    EXPECT_EQ(request.queryValue("a").value_or("") == "A", n >= 5) << cut;
    const bool inEscape = cut.ends_with('%') || (n > 2 && cut[n - 2] == '%');
    EXPECT_EQ(request.queryValue("token").has_value(), n >= 11 && !inEscape) << cut;
  }
}

TEST(HttpRequest, ACookieIsFoundAmongOthersAndDecoded) {
  const HttpRequest request =
      withCookies({"theme=dark; sid=a%3Bb+c;lang=\"it\" ; =x; flag; empty=", "sid=2; other=3"});
  EXPECT_EQ(request.cookie("theme"), "dark");
  EXPECT_EQ(request.cookie("sid"), "a;b+c");
  EXPECT_EQ(request.cookie("lang"), "it");
  EXPECT_EQ(request.cookie("empty"), "");
  EXPECT_EQ(request.cookie("other"), "3");
  EXPECT_EQ(request.cookie("flag"), std::nullopt);
  EXPECT_EQ(request.cookie("SID"), std::nullopt);
  EXPECT_EQ(request.cookie("id"), std::nullopt);
  EXPECT_EQ(withCookies({}).cookie("sid"), std::nullopt);
}

TEST(HttpRequest, ACookieWithAnInvalidEscapeIsReturnedAsItWasSent) {
  for (const char* value : {"100%", "%", "%4", "%zz", "%41%", "a=b=%g"}) {
    EXPECT_EQ(withCookies({("a=" + std::string(value)).c_str()}).cookie("a"), value);
  }
  EXPECT_EQ(withCookies({"a=\""}).cookie("a"), "\"");
  EXPECT_EQ(withCookies({"a=\"\""}).cookie("a"), "");
}

TEST(HttpRequest, ACookieHeaderCutAtAnyByteGivesWhatIsWhole) {
  const std::string header = "a=1; sid=%41";
  for (std::size_t n = 0; n <= header.size(); ++n) {
    const HttpRequest request = withCookies({std::string(header, 0, n).c_str()});
    EXPECT_EQ(request.cookie("a").has_value(), n >= 2) << n;
    const char* const expected[] = {"", "%", "%4", "A"};
    EXPECT_EQ(request.cookie("sid").value_or("none"), n >= 9 ? expected[n - 9] : "none") << n;
  }
}

TEST(HttpHead, CutAtAnyByteNeedsMoreAndLeavesOutUntouched) {
  for (std::size_t n = 0; n < kUpgrade.size(); ++n) {
    HttpRequest request;
    request.method = "untouched";
    std::size_t headBytes = 99;
    EXPECT_EQ(decodeHead(kUpgrade.substr(0, n), kHeadBytesMax, request, headBytes),
              HeadDecode::NeedMore)
        << n;
    EXPECT_EQ(request.method, "untouched");
    EXPECT_EQ(headBytes, 99u);
  }
}

TEST(HttpHead, ReplacesThePreviousRequest) {
  HttpRequest request = parse(kUpgrade);
  std::size_t headBytes = 0;
  ASSERT_EQ(decodeHead("HEAD / HTTP/1.0\r\n\r\n", kHeadBytesMax, request, headBytes),
            HeadDecode::Ok);
  EXPECT_EQ(request.method, "HEAD");
  EXPECT_EQ(request.versionMinor, 0);
  EXPECT_EQ(request.query, "");
  EXPECT_TRUE(request.headers.empty());
}

TEST(HttpHead, MayBeExactlyAsLongAsTheLimit) {
  EXPECT_EQ(verdictOf(kUpgrade, kUpgrade.size()), HeadDecode::Ok);
  EXPECT_EQ(verdictOf(kUpgrade + "more", kUpgrade.size()), HeadDecode::Ok);
  EXPECT_EQ(verdictOf(kUpgrade, kUpgrade.size() - 1), HeadDecode::TooLarge);
  for (std::size_t max = 1; max < kUpgrade.size(); ++max) {
    EXPECT_EQ(verdictOf(kUpgrade, max), HeadDecode::TooLarge) << max;
    EXPECT_EQ(verdictOf(kUpgrade.substr(0, max), max), HeadDecode::TooLarge) << max;
    EXPECT_EQ(verdictOf(kUpgrade.substr(0, max - 1), max), HeadDecode::NeedMore) << max;
  }
}

TEST(HttpHead, WithoutEndIsTooLarge) {
  const std::string longTarget = "GET /" + std::string(kHeadBytesMax, 'a');
  EXPECT_EQ(verdictOf(longTarget), HeadDecode::TooLarge);
  std::string manyHeaders = "GET / HTTP/1.1\r\n";
  while (manyHeaders.size() < kHeadBytesMax) manyHeaders += "X: y\r\n";
  EXPECT_EQ(verdictOf(manyHeaders), HeadDecode::TooLarge);
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\r\nX: " + std::string(kHeadBytesMax, 'y')),
            HeadDecode::TooLarge);
}

TEST(HttpHead, OtherProtocolsAreBad) {
  EXPECT_EQ(verdictOf("GET /\r\n\r\n"), HeadDecode::Bad);  // HTTP/0.9
  EXPECT_EQ(verdictOf("GET / HTTP/2.0\r\n\r\n"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HeadDecode::Bad);  // HTTP/2 preface
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\n\n"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("GET  / HTTP/1.1\r\n\r\n"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\r\nno colon\r\n\r\n"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\r\nName : value\r\n\r\n"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), HeadDecode::Bad);
}

TEST(HttpHead, GarbageIsBadBeforeItsEnd) {
  EXPECT_EQ(verdictOf(std::string_view("\x16\x03\x01\x02\x00\x01", 6)), HeadDecode::Bad);  // TLS
  EXPECT_EQ(verdictOf("{\"cmd\":\"auth\"}"), HeadDecode::Bad);
  EXPECT_EQ(verdictOf(std::string_view("\0\0\0\x0d", 4)), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("GET / HTTP/1.1\r\nBad\x01Name"), HeadDecode::Bad);
}

TEST(HttpHead, DoesNotWaitForTheBodyNorCheckItsLength) {
  HttpRequest request;
  std::size_t headBytes = 0;
  const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n";
  ASSERT_EQ(decodeHead(head + "body", kHeadBytesMax, request, headBytes), HeadDecode::Ok);
  EXPECT_EQ(headBytes, head.size());
  EXPECT_EQ(request.header("content-length"), "99999999999");
}

TEST(HttpHead, SplitsEveryFormOfTarget) {
  const auto split = [](std::string_view target) {
    const HttpRequest request = parse("GET " + std::string(target) + " HTTP/1.1\r\n\r\n");
    EXPECT_EQ(request.target, target);
    return request.path + " " + request.query;
  };
  EXPECT_EQ(split("/"), "/ ");
  EXPECT_EQ(split("/?"), "/ ");
  EXPECT_EQ(split("/a/b?c?d=/e"), "/a/b c?d=/e");
  EXPECT_EQ(split("/a?url=http://b/c"), "/a url=http://b/c");
  EXPECT_EQ(split("http://host/a?b"), "/a b");
  EXPECT_EQ(split("ws://host:81"), "/ ");
  EXPECT_EQ(split("http://host?b"), "/ b");
  EXPECT_EQ(split("*"), "* ");
}

TEST(HttpRequestHeader, IsFoundIgnoringCase) {
  const HttpRequest request = parse("GET / HTTP/1.1\r\nhOsT:  \t h \t\r\nEmpty:\r\n\r\n");
  EXPECT_EQ(request.header("Host"), "h");
  EXPECT_EQ(request.header("HOST"), "h");
  EXPECT_EQ(request.header("Hos"), "");
  EXPECT_EQ(request.headerCount("Host"), 1u);
  EXPECT_EQ(request.headerCount("Empty"), 1u);
  EXPECT_EQ(request.headerCount("Absent"), 0u);
}

TEST(HttpRequestHeader, ReturnsTheFirstOfSeveral) {
  const HttpRequest request = parse("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n");
  EXPECT_EQ(request.header("a"), "1");
  EXPECT_EQ(request.headerCount("A"), 2u);
  EXPECT_EQ(request.headers[0].value + request.headers[1].value + request.headers[2].value, "123");
}

TEST(HttpRequestHeader, FindsTokensInListsAndRepetitions) {
  const HttpRequest request = parse(
      "GET / HTTP/1.1\r\n"
      "Connection: close-ish,, keep-alive ,\t\r\n"
      "X: Upgrade\r\n"
      "connection:\tUpGrAdE\t\r\n\r\n");
  EXPECT_TRUE(request.hasToken("Connection", "upgrade"));
  EXPECT_TRUE(request.hasToken("Connection", "Keep-Alive"));
  EXPECT_FALSE(request.hasToken("Connection", "close"));
  EXPECT_FALSE(request.hasToken("Connection", "keep"));
  EXPECT_FALSE(request.hasToken("Upgrade", "upgrade"));
}

TEST(HttpHead, ByteByByteIsParsedAgainOnlyAtDoubleLengthOrItsEnd) {
  const std::string head = "GET / HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n";
  HttpRequest request;
  std::size_t headBytes = 0;
  std::size_t bytesParsed = 0;
  for (std::size_t n = 1; n <= head.size(); ++n) {
    // The verdict on these bytes would be Bad, so the test sees whether they are parsed.
    std::string spoiled = head.substr(0, n);
    spoiled[0] = '\x01';
    if (decodeHead(spoiled, kHeadBytesMax, request, headBytes, n - 1) == HeadDecode::Bad) {
      bytesParsed += n;
    }
  }
  EXPECT_GE(bytesParsed, head.size());
  EXPECT_LE(bytesParsed, 3 * head.size());
  EXPECT_EQ(decodeHead(head, kHeadBytesMax, request, headBytes, head.size() - 1), HeadDecode::Ok);
  EXPECT_EQ(headBytes, head.size());
}

TEST(HttpHead, InTwoPiecesIsReadWhereverItIsCut) {
  for (std::size_t cut = 0; cut < kUpgrade.size(); ++cut) {
    HttpRequest request;
    std::size_t headBytes = 0;
    EXPECT_EQ(decodeHead(kUpgrade + "more", kHeadBytesMax, request, headBytes, cut), HeadDecode::Ok)
        << cut;
    EXPECT_EQ(headBytes, kUpgrade.size());
  }
}

TEST(HttpHead, OneEmptyLineBeforeTheRequestIsSkipped) {
  HttpRequest request;
  std::size_t headBytes = 0;
  const std::string in = "\r\n" + kUpgrade;
  for (std::size_t n = 0; n < in.size(); ++n) {
    EXPECT_EQ(verdictOf(in.substr(0, n)), HeadDecode::NeedMore) << n;
  }
  ASSERT_EQ(decodeHead(in, kHeadBytesMax, request, headBytes), HeadDecode::Ok);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(headBytes, in.size());
  EXPECT_EQ(verdictOf("\r\n\r\n" + kUpgrade), HeadDecode::Bad);
  EXPECT_EQ(verdictOf("\r\n", 2), HeadDecode::TooLarge);
}

}  // namespace
}  // namespace stormo
