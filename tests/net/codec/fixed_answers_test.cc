#include "net/codec/fixed_answers.h"

#include <gmock/gmock.h>

#include "net/codec/handshake_fixture.h"

namespace stormo::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct HealthPages : HandshakeTest {
  /// The whole answer to that request.
  std::string answerTo(std::string_view request, WebSocketOptions options = {.healthPages = true}) {
    auto made = std::make_unique<WebSocketCodec>(std::move(options));
    made->reportReadiness([this] { return std::string_view(problem); });
    use(std::move(made));
    test::WebSocketClient client = connect();
    client.raw().send(request);
    EXPECT_TRUE(turnUntil([&] { return client.raw().ended(); }));
    return client.raw().received();
  }

  std::string problem;
};

TEST_F(HealthPages, AreAnsweredWithoutHostInHttp10AndWithoutPages) {
  for (const char* path : {"/health", "/ready", "/ready?from=balancer"}) {
    const std::string answer = answerTo(std::string("GET ") + path + " HTTP/1.0\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << path;
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  }
}

TEST_F(HealthPages, ReadyIs503WithTheProblemAndHealthStays200) {
  problem = "no link to the Channel";
  EXPECT_THAT(answerTo("GET /health HTTP/1.0\r\n\r\n"), EndsWith("{\"status\":\"alive\"}\n"));
  const std::string answer = answerTo("GET /ready HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, EndsWith("{\"status\":\"no link to the Channel\"}\n"));
}

TEST_F(HealthPages, HeadHasNoBodyAndOptionsIsAnsweredLikeGet) {
  EXPECT_THAT(answerTo("HEAD /ready HTTP/1.1\r\nHost: a\r\n\r\n"), EndsWith("\r\n\r\n"));
  EXPECT_THAT(answerTo("OPTIONS /health HTTP/1.0\r\n\r\n"), EndsWith("{\"status\":\"alive\"}\n"));
  EXPECT_THAT(answerTo("OPTIONS / HTTP/1.0\r\n\r\n"), EndsWith("{\"status\":\"ready\"}\n"));
  problem = "closing";
  EXPECT_THAT(answerTo("OPTIONS / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HealthPages, OtherMethodsPathsAndProgramsWithoutThemAreAsBefore) {
  EXPECT_THAT(answerTo("POST /health HTTP/1.1\r\nHost: a\r\n\r\n"), Not(HasSubstr("alive")));
  EXPECT_THAT(answerTo("GET /healthy HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(answerTo("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", {}), StartsWith("HTTP/1.1 426 "));
}

}  // namespace
}  // namespace stormo::net
