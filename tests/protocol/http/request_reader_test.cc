#include "protocol/http/request_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stormo {
namespace {

using Event = RequestReader::Event;

constexpr RequestReader::Limits kLimits{.headBytesMax = 1024, .bodyBytesMax = 100};

/// The requests in `in`, as "METHOD target body", and the status of a refusal.
std::vector<std::string> readAll(std::string_view in, std::size_t pieceBytes = 1 << 20,
                                 const RequestReader::Limits& limits = kLimits) {
  RequestReader reader;
  std::vector<std::string> out;
  std::string waiting;
  std::size_t judged = 0;
  while (true) {
    std::string_view rest = waiting;
    const Event event = reader.next(rest, limits, judged);
    waiting.erase(0, waiting.size() - rest.size());
    judged = 0;
    if (event == Event::Refused) {
      out.push_back(std::to_string(reader.refusal().status));
      return out;
    }
    if (event == Event::Request) {
      const HttpRequest& request = reader.request();
      out.push_back(request.method + ' ' + request.target + ' ' + request.body);
    }
    if (event != Event::NeedMore) continue;
    if (in.empty()) return out;
    judged = reader.isAtRest() ? waiting.size() : 0;
    waiting += in.substr(0, pieceBytes);
    in.remove_prefix(std::min(pieceBytes, in.size()));
  }
}

using Requests = std::vector<std::string>;

const std::string kPost = "POST /p HTTP/1.1\r\nHost: h\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

TEST(RequestReader, ReadsPipelinedRequestsCutAnywhere) {
  const std::string in =
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + kPost + "Content-Length: 5\r\n\r\nhello" + kChunked +
      "3\r\nabc\r\n2;x=\"y\";z\r\nde\r\n0\r\nTrailer: t\r\n\r\n" + "HEAD /b HTTP/1.0\r\n\r\n" +
      kChunked + "0\r\n\r\n" + kPost + "Content-Length: 0\r\n\r\n";
  const Requests expected = {"GET /a ",  "POST /p hello", "POST /p abcde",
                             "HEAD /b ", "POST /p ",      "POST /p "};
  for (std::size_t piece = 1; piece <= in.size(); ++piece) {
    EXPECT_EQ(readAll(in, piece), expected) << piece;
  }
}

TEST(RequestReader, AsksForMoreAtEveryCutOfOneRequest) {
  const std::string in = kChunked + "3\r\nabc\r\n00\r\n\r\n";
  for (std::size_t n = 0; n < in.size(); ++n) {
    EXPECT_EQ(readAll(in.substr(0, n)), Requests()) << n;
    EXPECT_EQ(readAll(in.substr(0, n), 1), Requests()) << n;
  }
}

TEST(RequestReader, TrailersAreDropped) {
  RequestReader reader;
  const std::string in = kChunked + "1\r\na\r\n0\r\nX-Role: admin\r\nHost: b\r\n\r\n";
  std::string_view rest = in;
  ASSERT_EQ(reader.next(rest, kLimits), Event::Head);
  ASSERT_EQ(reader.next(rest, kLimits), Event::Request);
  EXPECT_EQ(reader.request().body, "a");
  EXPECT_EQ(reader.request().headers.size(), 2u);
  EXPECT_EQ(reader.request().header("Host"), "h");
}

struct Refusal {
  const char* what;
  std::string in;
  int status;
};

// What a proxy in front of this server could read in another way (RFC 9112 11.2).
const Refusal kSmuggling[] = {
    {"Content-Length and Transfer-Encoding",
     kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"Transfer-Encoding and Content-Length",
     kPost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
    {"Content-Length and an unknown Transfer-Encoding",
     kPost + "Content-Length: 3\r\nTransfer-Encoding: x\r\n\r\nabc", 400},
    {"two lengths", kPost + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
    {"two equal lengths", kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
    {"a list of lengths", kPost + "Content-Length: 3, 3\r\n\r\nabc", 400},
    {"a length with a sign", kPost + "Content-Length: +3\r\n\r\nabc", 400},
    {"a negative length", kPost + "Content-Length: -3\r\n\r\nabc", 400},
    {"a length in hexadecimal", kPost + "Content-Length: 0x3\r\n\r\nabc", 400},
    {"a length with a space", kPost + "Content-Length: 3 3\r\n\r\nabc", 400},
    {"an empty length", kPost + "Content-Length:\r\n\r\nabc", 400},
    {"a length beyond 64 bits", kPost + "Content-Length: 18446744073709551617\r\n\r\n", 400},
    {"an unknown coding", kPost + "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"a coding before chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"a coding after chunked", kPost + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
    {"chunked twice", kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {"two Transfer-Encoding",
     kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"two Transfer-Encoding, one unknown",
     kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400},
    {"an empty Transfer-Encoding", kPost + "Transfer-Encoding:\r\n\r\n", 400},
    {"a coding in quotes", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
    {"a vertical tab in Transfer-Encoding",
     kPost + "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n",
     400},
    {"Transfer-Encoding in HTTP/1.0",
     "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a folded header", kPost + "X: a\r\n b\r\n\r\n", 400},
    {"a folded header with a tab", kPost + "X: a\r\n\tb\r\n\r\n", 400},
    {"a folded length", kPost + "Content-Length:\r\n 3\r\n\r\nabc", 400},
    {"a folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"a bare LF after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"a bare LF after a header", "GET / HTTP/1.1\r\nHost: h\n\r\n\r\n", 400},
    {"a bare LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\nGET / HTTP/1.1\r\n\r\n", 400},
    {"a bare CR in a header", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
    {"a NUL in a header", std::string("GET / HTTP/1.1\r\nHost: h\0\r\n\r\n", 28), 400},
    {"a space before the colon", kPost + "Content-Length : 3\r\n\r\nabc", 400},
    {"a header without a name", kPost + ": x\r\n\r\n", 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"HTTP/2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400},
    {"an unknown expectation", kPost + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", 417},
    {"a chunk size that is no number", kChunked + "x\r\n", 400},
    {"a chunk size with a sign", kChunked + "+1\r\na\r\n0\r\n\r\n", 400},
    {"a chunk size with 0x", kChunked + "0x1\r\na\r\n0\r\n\r\n", 400},
    {"an empty chunk size", kChunked + "\r\na\r\n0\r\n\r\n", 400},
    {"a chunk size beyond 64 bits", kChunked + "10000000000000001\r\na\r\n0\r\n\r\n", 400},
    {"a bare LF after a chunk size", kChunked + "1\na\r\n0\r\n\r\n", 400},
    {"a chunk that is longer than its size", kChunked + "1\r\nab\r\n0\r\n\r\n", 400},
    {"a chunk that is shorter than its size", kChunked + "3\r\nab\r\n0\r\n\r\n", 400},
    {"a bare LF after a chunk", kChunked + "1\r\na\n0\r\n\r\n", 400},
    {"a malformed extension", kChunked + "1 x\r\na\r\n0\r\n\r\n", 400},
    {"a LF in an extension", kChunked + "1;x\ny\r\na\r\n0\r\n\r\n", 400},
    {"a long extension", kChunked + "1;" + std::string(300, 'x') + "\r\na\r\n0\r\n\r\n", 400},
    {"a malformed trailer", kChunked + "0\r\nno colon\r\n\r\n", 400},
    {"a Content-Length in the trailer", kChunked + "0\r\nContent-Length: 9\r\n\r\n", 400},
    {"a long trailer", kChunked + "0\r\nX: " + std::string(5000, 'x') + "\r\n\r\n", 400},
};

TEST(RequestReader, RefusesWhatCanBeSmuggled) {
  for (const Refusal& each : kSmuggling) {
    const Requests expected = {std::to_string(each.status)};
    EXPECT_EQ(readAll(each.in), expected) << each.what;
    EXPECT_EQ(readAll(each.in, 1), expected) << each.what << ", byte by byte";
  }
}

TEST(RequestReader, ABodyBeyondTheLimitIs413) {
  const std::string whole(100, 'x');
  const std::string half = "32\r\n" + std::string(50, 'x') + "\r\n";
  EXPECT_EQ(readAll(kPost + "Content-Length: 100\r\n\r\n" + whole), Requests{"POST /p " + whole});
  EXPECT_EQ(readAll(kPost + "Content-Length: 101\r\n\r\n"), Requests{"413"});
  EXPECT_EQ(readAll(kChunked + half + half + "0\r\n\r\n"), Requests{"POST /p " + whole});
  EXPECT_EQ(readAll(kChunked + half + half + "1\r\n"), Requests{"413"});
  EXPECT_EQ(readAll(kChunked + "ffffffffffffffff\r\n"), Requests{"413"});
}

TEST(RequestReader, AHeadBeyondTheLimitIs431) {
  EXPECT_EQ(readAll("GET / HTTP/1.1\r\nX: " + std::string(1024, 'x')), Requests{"431"});
}

TEST(RequestReader, StatesWhetherTheClientWaitsForContinue) {
  const auto expects = [](const std::string& in) {
    RequestReader reader;
    std::string_view rest = in;
    EXPECT_EQ(reader.next(rest, kLimits), Event::Head) << in;
    return reader.framing().expectsContinue;
  };
  EXPECT_TRUE(expects(kPost + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(expects(kPost + "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(expects(kPost + "Expect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(expects(kPost + "Content-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
}

TEST(RequestReader, CountsWhatAnIncompleteRequestHolds) {
  RequestReader reader;
  const std::string head = kPost + "Content-Length: 50\r\n\r\n";
  const std::string in = head + "12345";
  std::string_view rest = in;
  ASSERT_EQ(reader.next(rest, kLimits), Event::Head);
  ASSERT_EQ(reader.next(rest, kLimits), Event::NeedMore);
  EXPECT_TRUE(reader.isInBody());
  EXPECT_EQ(reader.heldBytes(), in.size());
}

TEST(KeepAlive, FollowsTheVersionAndConnection) {
  const auto keeps = [](int minor, const char* connection) {
    HttpRequest request{.versionMinor = minor};
    if (*connection != 0) request.headers.push_back({"connection", connection});
    return wantsKeepAlive(request);
  };
  EXPECT_TRUE(keeps(1, ""));
  EXPECT_TRUE(keeps(1, "Upgrade"));
  EXPECT_FALSE(keeps(1, "Close"));
  EXPECT_FALSE(keeps(1, "x, close"));
  EXPECT_FALSE(keeps(0, ""));
  EXPECT_TRUE(keeps(0, "Keep-Alive"));
  EXPECT_FALSE(keeps(0, "keep-alive, close"));
}

}  // namespace
}  // namespace stormo
