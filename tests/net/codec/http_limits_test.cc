// Time-outs, limits and the closing of connections of HTTP.
#include <gmock/gmock.h>

#include "net/codec/http_fixture.h"
#include "net/limits/admission.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct HttpLimits : HttpTest {
  /// What a client receives before the connection ends by itself.
  std::string endOf(Connected& client) {
    EXPECT_TRUE(turnUntil([&] { return client.peer.ended(); }));
    return received(client);
  }
};

TEST_F(HttpLimits, ASlowFirstHeadIs408AndASilentClientIsClosed) {
  endpoint.handshakeTimeout = 20ms;
  Connected slow = connect();
  Connected silent = connect();
  slow.peer.send("GET / HT");
  EXPECT_THAT(endOf(slow), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(endOf(silent), "");
}

TEST_F(HttpLimits, ASlowLaterHeadIs408) {
  endpoint.handshakeTimeout = 20ms;
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")), ok("GET / "));
  client.peer.send("GET / HT");
  EXPECT_THAT(endOf(client), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(HttpLimits, ABodyThatTakesTooLongIs408) {
  endpoint.messageTimeout = 1ms;
  Connected client = connect();
  client.peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12");
  EXPECT_THAT(endOf(client), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(counters().incompleteClosed.get(), 1u);
}

TEST_F(HttpLimits, AnIdleConnectionIsClosedAfterItsTime) {
  useHttp({.keepAliveTimeout = 20ms});
  endpoint.handshakeTimeout = 10ms;
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")), ok("GET / "));
  EXPECT_EQ(endOf(client), "");
  EXPECT_THAT(events, ElementsAre("GET / ", "close 1000"));
}

TEST_F(HttpLimits, ALateAnswerIsNotClosedByOtherTimeouts) {
  endpoint.handshakeTimeout = 5ms;
  endpoint.messageTimeout = 1ms;
  useHttp({.keepAliveTimeout = 5ms, .answerTimeout = 0ms});
  answerLater();
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/1") + get("/2")), "");
  // The time-out of incomplete messages is looked at once in a second.
  const auto until = std::chrono::steady_clock::now() + 1300ms;
  ASSERT_TRUE(turnUntil([&] { return std::chrono::steady_clock::now() > until; }));
  EXPECT_TRUE(pending.end("late"));
  settle();
  EXPECT_EQ(received(client), ok("late"));
}

TEST_F(HttpLimits, AnAnswerThatTakesTooLongIs503) {
  useHttp({.answerTimeout = 20ms});
  answerLater();
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")), "");
  EXPECT_THAT(endOf(client), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_FALSE(pending.end());
}

TEST_F(HttpLimits, ABodyBeyondMaxPackageSizeIs413BeforeItIsSent) {
  endpoint.packageBytesMax = 10;
  Connected client = connect();
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ";
  EXPECT_THAT(answersTo(client, head + "11\r\n\r\n"),
              StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_EQ(answersTo(post("0123456789")), ok("POST / 0123456789"));
}

TEST_F(HttpLimits, ALongHeadIs431) {
  useHttp({}, {.headBytesMax = 1000});
  Connected client = connect();
  EXPECT_THAT(answersTo(client, "GET /" + std::string(1000, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpLimits, TooManyIncompleteBodiesAre503) {
  endpoint.incompleteBytesMax = 1000;
  Connected client = connect();
  const std::string answer =
      answersTo(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n" +
                            std::string(2000, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
}

TEST_F(HttpLimits, RequestsAreMessagesForTheRates) {
  InputRates rates{.messagesPerSecond = {.max = 2}, .overRate = OverRate::Close};
  endpoint.inputRates = &rates;
  Connected client = connect();
  const std::string answer = answersTo(client, get("/1") + get("/2") + get("/3"));
  EXPECT_THAT(answer, HasSubstr(ok("GET /2 ") + "HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(answer, EndsWith("too many messages per second\n"));
  EXPECT_THAT(events, ElementsAre("GET /1 ", "GET /2 ", "close 1008"));
}

TEST_F(HttpLimits, ARefusedConnectionIsAnswered) {
  SharedAdmission shared({.connections = {.max = 1}}, 1, 100);
  Admission admission(shared, 0, reactor);
  endpoint.admission = &admission;
  Connected first = connect();
  Connected second = connect();
  const std::string answer = answersTo(second, get("/"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 10\r\n"));
  EXPECT_EQ(answersTo(first, get("/")), ok("GET / "));
  table.forEach([](ConnectionImpl& each) { each.destroy(); });
  settle();
}

TEST_F(HttpLimits, AnAnsweredConnectionIsNoHandshakeAnyMore) {
  SharedAdmission shared({.handshakes = {.max = 1}}, 1, 100);
  Admission admission(shared, 0, reactor);
  endpoint.admission = &admission;
  Connected first = connect();
  EXPECT_EQ(answersTo(first, get("/")), ok("GET / "));
  Connected second = connect();
  EXPECT_EQ(answersTo(second, get("/")), ok("GET / "));
  EXPECT_EQ(answersTo(first, get("/")), ok("GET / "));
  table.forEach([](ConnectionImpl& each) { each.destroy(); });
  settle();
}

TEST_F(HttpLimits, ACloseByTheProgramAnswersAPendingRequestWith503) {
  answerLater();
  Connected client = connect();
  answersTo(client, get("/"));
  at(client).close(CloseCode::GoingAway);
  EXPECT_THAT(endOf(client), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_FALSE(pending.end());
  Connected idle = connect();
  pending = {};
  handler = [](const HttpRequest&, HttpResponse& response) { response.end("x"); };
  EXPECT_EQ(answersTo(idle, get("/")), ok("x"));
  at(idle).close(CloseCode::GoingAway);
  EXPECT_EQ(endOf(idle), "");
}

TEST_F(HttpLimits, AProcessThatEndsAnswersWhatItHas) {
  answerLater();
  Connected client = connect();
  Connected idle = connect();
  answersTo(client, get("/"));
  const auto close = [&](const Connected& each) {
    CodecSession session(*table.find(each.id));
    return codec->closeWhenAnswered(session, true);
  };
  EXPECT_TRUE(close(client));
  EXPECT_FALSE(close(idle));
  EXPECT_TRUE(pending.end("last"));
  EXPECT_EQ(endOf(client), ok("last", "Connection: close\r\n"));
}

TEST_F(HttpLimits, TheEndOfAClientWithinItsBodyIsNotARequest) {
  Connected client = connect();
  answersTo(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12");
  client.peer.close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("close 1006"));
  EXPECT_EQ(reactor.input.incompleteBytes(), 0u);
}

}  // namespace
}  // namespace stormo::net
