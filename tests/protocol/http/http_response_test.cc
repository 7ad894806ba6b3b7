#include "protocol/http/http_response.h"

#include <gtest/gtest.h>

namespace stormo {
namespace {

TEST(HttpResponse, IsACompleteMessageThatEndsTheConnection) {
  EXPECT_EQ(httpResponse(200, "text/plain", "hello"),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 5\r\n"
            "Connection: close\r\n"
            "\r\n"
            "hello");
}

TEST(HttpResponse, ToHeadHasTheLengthButNotTheBody) {
  const std::string response = httpResponse(404, "text/plain", "not here", true);
  EXPECT_NE(response.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_TRUE(response.ends_with("Connection: close\r\n\r\n"));
}

TEST(HttpResponse, WithoutABodyNeedsNoContentType) {
  EXPECT_EQ(httpResponse(503, "", ""),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(HttpResponse, CarriesExtraHeadersInOrder) {
  const std::string response =
      httpResponse(426, "", "", false, {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
  EXPECT_TRUE(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  EXPECT_TRUE(response.ends_with("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"));
}

TEST(HttpResponse, DoesNotLetAValueForgeAHeader) {
  const std::string response = httpResponse(
      200, "a\r\nb: c", "", false,
      {{"Location", "/x\r\nSet-Cookie: a=b"}, {"A\n", "b"}, {"C", std::string("d\0", 2)}});
  EXPECT_EQ(response, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(HttpResponse, KnowsItsReasonPhrases) {
  EXPECT_EQ(httpReason(400), "Bad Request");
  EXPECT_EQ(httpReason(403), "Forbidden");
  EXPECT_EQ(httpReason(405), "Method Not Allowed");
  EXPECT_EQ(httpReason(408), "Request Timeout");
  EXPECT_EQ(httpReason(413), "Payload Too Large");
  EXPECT_EQ(httpReason(431), "Request Header Fields Too Large");
  EXPECT_EQ(httpReason(500), "Internal Server Error");
  EXPECT_EQ(httpReason(599), "Unknown");
}

}  // namespace
}  // namespace stormo
