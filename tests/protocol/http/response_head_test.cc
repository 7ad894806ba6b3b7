#include "protocol/http/response_head.h"

#include <gtest/gtest.h>

#include <string>

namespace stormo {
namespace {

std::string headOf(ResponseHead head) {
  head.date = "D";
  std::string out;
  appendResponseHead(head, out);
  return out;
}

TEST(ResponseHead, StatesHowTheBodyEnds) {
  EXPECT_EQ(headOf({.bodyBytes = 12, .contentType = "text/plain"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nDate: D\r\n\r\n");
  EXPECT_EQ(headOf({.framing = ResponseFraming::Chunked, .headers = "X: y\r\n"}),
            "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\nDate: D\r\n\r\n");
  EXPECT_EQ(headOf({.framing = ResponseFraming::Close, .connection = "close"}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: D\r\n\r\n");
  EXPECT_EQ(headOf({.status = 204, .framing = ResponseFraming::None}),
            "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
}

TEST(ResponseHead, AHeaderOfTheProgramCannotForgeOthers) {
  for (const char* name :
       {"", "a b", "a:", "a\r\nb", "content-length", "Transfer-Encoding", "connection", "Date"}) {
    EXPECT_NE(complaintOfResponseHeader(name, "x"), nullptr) << name;
  }
  EXPECT_NE(complaintOfResponseHeader("a", "x\r\nb: c"), nullptr);
  EXPECT_NE(complaintOfResponseHeader("a", std::string_view("x\0", 2)), nullptr);
  EXPECT_EQ(complaintOfResponseHeader("Set-Cookie", "a=b; HttpOnly"), nullptr);
}

TEST(ResponseHead, AChunkHasItsSizeInHexadecimal) {
  std::string out;
  appendChunkSize(26, out);
  EXPECT_EQ(out, "1a\r\n");
}

TEST(ResponseHead, TheDateIsThatOfRfc9110) {
  EXPECT_EQ(httpDate(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(httpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace stormo
