// Answers that are given later, or streamed.
#include <gmock/gmock.h>

#include "net/codec/http_fixture.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    "\r\n";

TEST_F(HttpTest, ALateAnswerGoesBeforeTheNextRequest) {
  answerLater();
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/1") + get("/2")), "");
  EXPECT_THAT(takeEvents(), ElementsAre("/1"));
  EXPECT_TRUE(pending.isOpen());
  const PendingResponse first = pending;
  EXPECT_TRUE(first.answer(202, "one"));
  EXPECT_THAT(events, IsEmpty()) << "an answer calls no handler";
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("/2"));
  EXPECT_THAT(received(client), StartsWith("HTTP/1.1 202 Accepted\r\n"));
  EXPECT_FALSE(first.end("to the second")) << "an old handle must not answer a later request";
  EXPECT_TRUE(pending.end("two"));
  settle();
  EXPECT_EQ(received(client), ok("two"));
}

TEST_F(HttpTest, ALateAnswerAfterTheClientDisconnectedHasNoEffect) {
  answerLater();
  Connected client = connect();
  answersTo(client, get("/"));
  client.peer.close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_FALSE(pending.isOpen());
  EXPECT_FALSE(pending.end("x"));
  EXPECT_FALSE(pending.setStatus(404));
  EXPECT_EQ(pending.write("x"), SendStatus::Closed);
  EXPECT_FALSE(PendingResponse().end());
  Connected next = connect();
  answersTo(next, get("/"));
  EXPECT_FALSE(PendingResponse(pending.connection(), 0).end());
}

TEST_F(HttpTest, RequestsBehindAnUnansweredOneWaitInTheKernel) {
  answerLater();
  Connected client = connect();
  answersTo(client, get("/1"));
  std::string flood;
  while (flood.size() < 1'000'000) flood += get("/2");
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    sent += client.peer.send(std::string_view(flood).substr(sent));
    turn();
  }
  EXPECT_LT(table.find(client.id)->in.bytesRead, 100'000u);
  EXPECT_THAT(takeEvents(), ElementsAre("/1"));
  std::size_t served = 0;
  handler = [&](const HttpRequest&, HttpResponse& response) {
    ++served;
    response.end();
  };
  ASSERT_TRUE(pending.end());
  const std::size_t requests = flood.size() / get("/2").size();
  ASSERT_TRUE(turnUntil([&] {
    sent += client.peer.send(std::string_view(flood).substr(sent));
    (void)client.peer.take();
    return served == requests;
  }));
}

TEST_F(HttpTest, APauseByTheUserOutlastsALateAnswer) {
  answerLater();
  Connected client = connect();
  answersTo(client, get("/1") + get("/2"));
  at(client).pauseRecv();
  ASSERT_TRUE(pending.end());
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("/1"));
  at(client).resumeRecv();
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("/2"));
}

TEST_F(HttpTest, AStreamIsSentInChunks) {
  answerLater();
  Connected client = connect();
  answersTo(client, get("/"));
  EXPECT_EQ(pending.write(""), SendStatus::Queued);
  settle();
  EXPECT_EQ(received(client), kChunkedHead);
  EXPECT_FALSE(pending.addHeader("X", "y")) << "the head was sent";
  EXPECT_EQ(pending.write("hello"), SendStatus::Queued);
  settle();
  EXPECT_EQ(received(client), "5\r\nhello\r\n");
  EXPECT_TRUE(pending.end("!"));
  settle();
  EXPECT_EQ(received(client), "1\r\n!\r\n0\r\n\r\n");
  EXPECT_FALSE(pending.isOpen());
  answersTo(client, get("/again"));
  EXPECT_TRUE(pending.end());
}

TEST_F(HttpTest, AStreamToHttp10EndsWithTheConnection) {
  answerLater();
  Connected client = connect();
  answersTo(client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(pending.write("hello"), SendStatus::Queued);
  EXPECT_TRUE(pending.end());
  settle();
  EXPECT_EQ(received(client),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
            "\r\nhello");
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, AStreamToHeadHasNoBody) {
  answerLater();
  Connected client = connect();
  answersTo(client, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(pending.write("hello"), SendStatus::Queued);
  EXPECT_TRUE(pending.end("more"));
  settle();
  EXPECT_EQ(received(client), kChunkedHead);
  EXPECT_FALSE(client.peer.ended());
}

TEST_F(HttpTest, AStreamToASlowClientIsFullAndDrains) {
  endpoint.sendQueueBytesMax = 100'000;
  answerLater();
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected client = connect(std::move(pair));
  answersTo(client, get("/"));
  takeEvents();
  const std::string part(10'000, 'x');
  std::size_t parts = 0;
  while (pending.write(part) == SendStatus::Queued) {
    ++parts;
    turn();
    ASSERT_LT(parts, 1000u);
  }
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("full"));
  EXPECT_TRUE(pending.isOpen());
  std::size_t bytes = 0;
  ASSERT_TRUE(turnUntil([&] {
    bytes += client.peer.take().size();
    return !events.empty();
  }));
  EXPECT_THAT(takeEvents(), ElementsAre("drain"));
  EXPECT_EQ(pending.write(part), SendStatus::Queued);
  EXPECT_TRUE(pending.end());
  ASSERT_TRUE(turnUntil([&] {
    bytes += client.peer.take().size();
    return bytes >= (parts + 1) * part.size();
  }));
}

TEST_F(HttpTest, AClientThatReadsNoAnswersGetsNoMoreThanItsQueue) {
  endpoint.sendQueueBytesMax = 100'000;
  std::size_t served = 0;
  handler = [&](const HttpRequest&, HttpResponse& response) {
    ++served;
    response.end(std::string(50'000, 'x'));
  };
  auto pair = test::unixPair();
  test::shrinkSendBuffer(pair.tested.get());
  Connected client = connect(std::move(pair));
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += get("/");
  client.peer.send(flood);
  settle();
  EXPECT_LT(served, 10u);
  EXPECT_NE(table.find(client.id), nullptr);
  ASSERT_TRUE(turnUntil([&] {
    (void)client.peer.take();
    return served == 100;
  }));
}

TEST_F(HttpTest, AHandlerThatThrowsWithinItsStreamCutsIt) {
  handler = [](const HttpRequest&, HttpResponse& response) {
    (void)response.write("part");
    throw std::runtime_error("broken");
  };
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")), std::string(kChunkedHead) + "4\r\npart\r\n");
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpTest, ServerSentEventsAreStreamed) {
  EventStream stream;
  handler = [&](const HttpRequest&, HttpResponse& response) {
    response.addHeader("Access-Control-Allow-Origin", "*");
    stream = response.events();
    EXPECT_EQ(stream.send("hello\nworld"), SendStatus::Queued);
  };
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/")),
            "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n"
            "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
            "19\r\ndata: hello\ndata: world\n\n\r\n");
  EXPECT_EQ(stream.send({.data = "x", .event = "price", .id = "7", .retry = 100ms}),
            SendStatus::Queued);
  EXPECT_EQ(stream.comment("still here"), SendStatus::Queued);
  settle();
  EXPECT_THAT(received(client), HasSubstr("event: price\nid: 7\nretry: 100\ndata: x\n\n"));
  EXPECT_TRUE(stream.end());
  settle();
  EXPECT_THAT(received(client), EndsWith("0\r\n\r\n"));
  EXPECT_EQ(stream.send("late"), SendStatus::Closed);
}

TEST_F(HttpTest, ASilentStreamOfEventsGetsComments) {
  useHttp({.commentInterval = 20ms});
  EventStream stream;
  handler = [&](const HttpRequest&, HttpResponse& response) { stream = response.events(); };
  Connected client = connect();
  answersTo(client, get("/"));
  std::string comments;
  ASSERT_TRUE(turnUntil([&] {
    comments += client.peer.take();
    return comments.size() >= 16;
  }));
  EXPECT_THAT(comments, StartsWith("3\r\n:\n\n\r\n3\r\n:\n\n\r\n"));
  EXPECT_TRUE(stream.isOpen());
}

}  // namespace
}  // namespace stormo::net
