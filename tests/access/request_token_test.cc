#include "access/request_token.h"

#include <gtest/gtest.h>

#include <utility>

namespace stormo::access {
namespace {

std::string tokenIn(std::vector<HttpHeader> headers, std::string query = {}) {
  HttpRequest request;
  request.headers = std::move(headers);
  request.query = std::move(query);
  return tokenOf(request, "session");
}

TEST(RequestToken, IsFoundInFourPlaces) {
  EXPECT_EQ(tokenIn({{"Authorization", "Bearer a.b.c"}}), "a.b.c");
  EXPECT_EQ(tokenIn({{"authorization", "bearer  a.b.c"}}), "a.b.c");
  EXPECT_EQ(tokenIn({{"Sec-WebSocket-Protocol", "stormo.v1, stormo.token.a.b.c"}}), "a.b.c");
  EXPECT_EQ(tokenIn({{"Sec-WebSocket-Protocol", "stormo.v1"},
                     {"sec-websocket-protocol", "stormo.token.d"}}),
            "d");
  EXPECT_EQ(tokenIn({}, "room=1&token=a.b.c"), "a.b.c");
  EXPECT_EQ(tokenIn({{"Cookie", "other=1; session=a.b.c"}}), "a.b.c");
}

TEST(RequestToken, TheFirstPlaceCounts) {
  const HttpHeader bearer{"Authorization", "Bearer one"};
  const HttpHeader offer{"Sec-WebSocket-Protocol", "stormo.token.two"};
  const HttpHeader cookie{"Cookie", "session=four"};
  EXPECT_EQ(tokenIn({cookie, offer, bearer}, "token=three"), "one");
  EXPECT_EQ(tokenIn({cookie, offer}, "token=three"), "two");
  EXPECT_EQ(tokenIn({cookie}, "token=three"), "three");
}

TEST(RequestToken, OtherRequestsHaveNone) {
  EXPECT_EQ(tokenIn({}), "");
  EXPECT_EQ(tokenIn({{"Authorization", "Basic dXNlcjpwYXNz"}}), "");
  EXPECT_EQ(tokenIn({{"Authorization", "Bearer"}}), "");
  EXPECT_EQ(tokenIn({{"Authorization", "Bearer "}}), "");
  EXPECT_EQ(tokenIn({{"Sec-WebSocket-Protocol", "stormo.v1,,"}}, "token="), "");
  HttpRequest request;
  request.headers = {{"Cookie", "session=a; =b"}};
  EXPECT_EQ(tokenOf(request, ""), "");
}

}  // namespace
}  // namespace stormo::access
