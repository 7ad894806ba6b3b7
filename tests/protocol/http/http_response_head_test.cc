#include "protocol/http/http_response_head.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo {
namespace {

constexpr std::size_t kHeadBytesMax = 1000;

HeadDecode judge(std::string_view in) {
  HttpResponseHead head;
  std::size_t headBytes = 0;
  return decodeResponseHead(in, kHeadBytesMax, head, headBytes);
}

TEST(HttpResponseHead, HasStatusVersionAndHeaders) {
  const std::string bytes = "HTTP/1.1 403 Not Here\r\nA: 1\r\nb:  2 \r\nA: 3\r\n\r\n";
  HttpResponseHead head;
  std::size_t headBytes = 0;
  ASSERT_EQ(decodeResponseHead(bytes + "body", kHeadBytesMax, head, headBytes), HeadDecode::Ok);
  EXPECT_EQ(headBytes, bytes.size());
  EXPECT_EQ(head.status, 403);
  EXPECT_EQ(head.versionMinor, 1);
  ASSERT_EQ(head.headers.size(), 3u);
  EXPECT_EQ(head.headers[0].name, "A");
  EXPECT_EQ(head.headers[1].value, "2");
  EXPECT_EQ(head.headers[2].value, "3");
}

TEST(HttpResponseHead, CutAtAnyByteAsksForMoreAndLeavesOutUntouched) {
  const std::string whole = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  HttpResponseHead head{.status = 7, .headers = {}};
  std::size_t headBytes = 99;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);
    ASSERT_EQ(decodeResponseHead(cut, kHeadBytesMax, head, headBytes, n / 2), HeadDecode::NeedMore);
    ASSERT_EQ(head.status, 7);
    ASSERT_EQ(headBytes, 99u);
  }
  EXPECT_EQ(decodeResponseHead(whole, kHeadBytesMax, head, headBytes, whole.size() - 1),
            HeadDecode::Ok);
}

TEST(HttpResponseHead, ThatIsInvalidIsReportedBeforeItsEnd) {
  for (const char* wrong : {"GET / HTTP/1.1\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 20 OK\r\n",
                            "HTTP/1.1 2000 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n",
                            "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\n: x\r\n"}) {
    EXPECT_EQ(judge(wrong), HeadDecode::Bad) << wrong;
  }
}

TEST(HttpResponseHead, WithoutAnEndWithinTheLimitIsTooLarge) {
  const std::string begin = "HTTP/1.1 200 OK\r\nX: ";
  const std::string whole = begin + std::string(kHeadBytesMax - begin.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(judge(whole), HeadDecode::Ok);
  EXPECT_EQ(judge(begin + std::string(kHeadBytesMax - begin.size() - 1, 'x')),
            HeadDecode::NeedMore);
  EXPECT_EQ(judge(begin + std::string(kHeadBytesMax - begin.size(), 'x')), HeadDecode::TooLarge);
  EXPECT_EQ(judge(begin + std::string(kHeadBytesMax - begin.size() - 3, 'x') + "\r\n\r\n"),
            HeadDecode::TooLarge);
}

}  // namespace
}  // namespace stormo
