// Requests of HTTP, and answers that are given at once.
#include "net/codec/http_codec.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "net/codec/http_fixture.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(HttpTest, ARequestIsAnsweredAndTheConnectionStaysOpen) {
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/a")), ok("GET /a "));
  EXPECT_EQ(answersTo(client, post("hello")), ok("POST / hello"));
  EXPECT_FALSE(client.peer.ended());
  EXPECT_EQ(table.find(client.id)->codecState, nullptr) << "an idle connection keeps no state";
}

TEST_F(HttpTest, RequestsCutAnywhereAreAnsweredInTheirOrder) {
  const std::string in = get("/1") + post("two") + get("/3");
  const std::string answers = ok("GET /1 ") + ok("POST / two") + ok("GET /3 ");
  EXPECT_EQ(answersTo(in), answers);
  Connected client = connect();
  for (const char& byte : in) {
    client.peer.send({&byte, 1});
    turn();
  }
  settle();
  EXPECT_EQ(received(client), answers);
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredWithOneSystemCall) {
  Connected client = connect();
  const auto before = counters().sendCalls.get();
  EXPECT_EQ(answersTo(client, get("/1") + get("/2") + get("/3")),
            ok("GET /1 ") + ok("GET /2 ") + ok("GET /3 "));
  EXPECT_EQ(counters().sendCalls.get(), before + 1);
}

TEST_F(HttpTest, TheConnectionClosesWhenTheClientWantsIt) {
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/", "Connection: close\r\n") + get("/never")),
            ok("GET / ", "Connection: close\r\n"));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_THAT(events, ElementsAre("GET / ", "close 1000"));
}

TEST_F(HttpTest, Http10ClosesUnlessTheClientWantsToKeepIt) {
  Connected client = connect();
  const std::string keep = "GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(answersTo(client, keep), ok("GET /k ", "Connection: keep-alive\r\n"));
  EXPECT_EQ(answersTo(client, "GET / HTTP/1.0\r\n\r\n"), ok("GET / ", "Connection: close\r\n"));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, WithoutKeepAliveTheConnectionClosesAfterEachAnswer) {
  useHttp({.keepAliveTimeout = std::chrono::milliseconds(0)});
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")), ok("GET / ", "Connection: close\r\n"));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, HeadIsAnsweredWithTheLengthAndWithoutTheBody) {
  Connected client = connect();
  const std::string whole = ok("HEAD / ");
  EXPECT_EQ(answersTo(client, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
            whole.substr(0, whole.size() - 7));
  EXPECT_EQ(answersTo(client, get("/")), ok("GET / "));
}

TEST_F(HttpTest, ContinueIsSentOnlyIfTheClientWaitsForIt) {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  Connected client = connect();
  EXPECT_EQ(answersTo(client, head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(answersTo(client, "ab"), ok("POST / ab"));
  EXPECT_EQ(answersTo(client, head + "cd"), ok("POST / cd"));
}

TEST_F(HttpTest, StatusAndHeadersAreThoseOfTheHandler) {
  handler = [](const HttpRequest&, HttpResponse& response) {
    response.addHeader("Set-Cookie", "a=b");
    response.addHeader("Set-Cookie", "c=d");
    response.answer(404, "{}", "application/json");
  };
  EXPECT_EQ(answersTo(get("/")),
            "HTTP/1.1 404 Not Found\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(HttpTest, NoContentHasNeitherBodyNorLength) {
  handler = [](const HttpRequest&, HttpResponse& response) { response.answer(204, "dropped"); };
  EXPECT_EQ(answersTo(get("/")), "HTTP/1.1 204 No Content\r\n\r\n");
  handler = [](const HttpRequest&, HttpResponse& response) { response.end(); };
  EXPECT_EQ(answersTo(get("/")), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(HttpTest, EachAnswerHasADate) {
  Connected client = connect();
  client.peer.send(get("/"));
  settle();
  EXPECT_THAT(client.peer.take(), testing::ContainsRegex("\r\nDate: [A-Z][a-z]{2}, [0-9]{2} "));
}

TEST_F(HttpTest, AHandlerThatThrowsIsA500AndTheConnectionCloses) {
  handler = [](const HttpRequest&, HttpResponse&) { throw std::runtime_error("out of order"); };
  Connected client = connect();
  const std::string answer = answersTo(client, get("/") + get("/never"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ninternal error\n"));
  EXPECT_THAT(answer, Not(HasSubstr("out of order")));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_EQ(counters().handlerErrors.get(), 1u);
}

TEST_F(HttpTest, AHandlerThatForgetsToAnswerIsA500) {
  handler = [](const HttpRequest&, HttpResponse& response) { response.addHeader("a", "b"); };
  Connected client = connect();
  EXPECT_THAT(answersTo(client, get("/")), StartsWith("HTTP/1.1 500 "));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_EQ(counters().handlerErrors.get(), 1u);
}

TEST_F(HttpTest, AHeaderOrStatusThatCannotBeSentIsAnErrorOfTheHandler) {
  handler = [](const HttpRequest& request, HttpResponse& response) {
    if (request.path == "/header") response.addHeader("Content-Length", "1");
    if (request.path == "/line") response.addHeader("X", "a\r\nb: c");
    if (request.path == "/status") response.setStatus(101);
    response.end();
  };
  for (const char* path : {"/header", "/line", "/status"}) {
    EXPECT_THAT(answersTo(get(path)), StartsWith("HTTP/1.1 500 ")) << path;
  }
  EXPECT_THAT(answersTo(get("/ok")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, AnAnswerIsGivenOnce) {
  handler = [this](const HttpRequest&, HttpResponse& response) {
    EXPECT_TRUE(response.end("one"));
    EXPECT_FALSE(response.end("two"));
    EXPECT_FALSE(response.setStatus(404));
    EXPECT_FALSE(response.addHeader("a", "b"));
    EXPECT_EQ(response.write("three"), SendStatus::Closed);
    pending = response.later();
    EXPECT_FALSE(pending.isOpen());
  };
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/") + get("/")), ok("one") + ok("one"));
}

TEST_F(HttpTest, AHandlerMayCloseTheConnectionAfterItsAnswer) {
  handler = [](const HttpRequest&, HttpResponse& response) {
    response.end("bye");
    response.connection().close();
  };
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/") + get("/never")), ok("bye"));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, AMalformedRequestIs400BehindEarlierAnswers) {
  Connected client = connect();
  const std::string answer = answersTo(client, get("/") + "GET / HTTP/1.1\nHost: h\n\n");
  EXPECT_THAT(answer, StartsWith(ok("GET / ") + "HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_EQ(counters().badPeers.get(), 1u);
  EXPECT_THAT(events, ElementsAre("GET / ", "close 1002"));
}

TEST_F(HttpTest, ASmuggledRequestIsNotServed) {
  const std::string both =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n";
  Connected client = connect();
  EXPECT_THAT(answersTo(client, both + get("/admin")), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_THAT(events, ElementsAre("close 1002"));
}

TEST_F(HttpTest, MessagesOfAConnectionAreAnError) {
  Connected client = connect();
  EXPECT_THROW((void)at(client).send("x"), std::logic_error);
}

TEST_F(HttpTest, PagesAndHealthAreAnsweredBeforeTheHandler) {
  useHttp({}, {.pages = {{"/page", {.body = "<p>"}}}, .healthPages = true});
  Connected client = connect();
  EXPECT_THAT(answersTo(client, get("/page")), EndsWith("\r\n\r\n<p>"));
  EXPECT_THAT(answersTo(client, get("/health")), EndsWith("{\"status\":\"alive\"}\n"));
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(answersTo(client, get("/other")), ok("GET /other "));
  handler = nullptr;
  EXPECT_THAT(answersTo(client, get("/other")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answersTo(client, post("x")), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answersTo(client, get("/page")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, AProcessThatStopsAnswersHealthChecksOnly) {
  auto made =
      std::make_unique<HttpCodec>(HttpOptions(), WebSocketOptions{.healthPages = true}, handler);
  made->reportReadiness([] { return "closing"; }, [] { return true; });
  use(std::move(made));
  EXPECT_THAT(answersTo(get("/ready")), EndsWith("{\"status\":\"closing\"}\n"));
  Connected client = connect();
  const std::string answer = answersTo(client, get("/"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 5\r\n"));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, ALongBodyInManyReadsIsWhole) {
  const std::string body(3'000'000, 'b');
  Connected client = connect();
  const std::string in = post(body);
  std::size_t sent = 0;
  ASSERT_TRUE(turnUntil([&] {
    sent += client.peer.send(std::string_view(in).substr(sent));
    return !events.empty();
  }));
  EXPECT_EQ(events.front().size(), body.size() + 7);
  ASSERT_TRUE(turnUntil([&] { return client.peer.drain().size() > body.size(); }));
}

}  // namespace
}  // namespace stormo::net
