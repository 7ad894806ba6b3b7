// A program of HTTP, as its clients use it.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

#include "integration/harness/tcp_peer.h"
#include "integration/harness/tls_client.h"
#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpWorker : public WithStormo {
 protected:
  HttpWorker() : WithStormo(std::chrono::seconds(60), "http_program") {}

  static std::string request(const std::string& line, const std::string& headers = {},
                             const std::string& body = {}) {
    std::string length;
    if (!body.empty()) length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers + length + "\r\n" + body;
  }
  /// The whole answer on a connection of its own.
  std::string once(const std::string& line, const std::string& headers = {},
                   const std::string& body = {}) {
    return httpExchange(deadline, stormo.port(),
                        request(line, headers + "Connection: close\r\n", body));
  }
  /// The answers of one connection, the last of which ends with `end`.
  std::string through(TcpPeer& peer, const std::string& bytes, std::string_view end) {
    peer.send(bytes);
    return peer.readThrough(end);
  }
  /// Returns when the worker has a request of that connection that it does not answer yet.
  void waitForAnAnswer(TcpPeer& peer) {
    const std::string answer =
        through(peer, request("GET /hello") + request("GET /later?file=" + file()), "Hello world");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  }
  void letItBeAnswered() { std::ofstream{file()}; }

 private:
  [[nodiscard]] std::string file() const { return stormo.folder() + "/answer"; }
};

TEST_F(HttpWorker, AnswersPipelinedRequestsOfOneConnectionInOrder) {
  stormo.start();
  TcpPeer peer(deadline, stormo.port());
  const std::string answers =
      through(peer,
              request("GET /hello?name=J%C3%B6rg+L") + request("GET /later") +
                  request("POST /echo", "Cookie: sid=7\r\n", "a body") + request("GET /nothing"),
              "no such page\n");
  const auto hello = answers.find("\r\n\r\nHello J\xc3\xb6rg LHTTP/1.1 200 OK\r\n");
  const auto later = answers.find("\r\n\r\nat lastHTTP/1.1 200 OK\r\n");
  const auto echo = answers.find("\r\n\r\na bodyHTTP/1.1 404 Not Found\r\n");
  EXPECT_LT(hello, later);
  EXPECT_LT(later, echo);
  EXPECT_NE(echo, std::string::npos);
  EXPECT_THAT(answers, HasSubstr("\r\nX-Cookie: 7\r\n"));
}

TEST_F(HttpWorker, ABodyOfAnyLengthIsEchoedAndALongerOneIs413) {
  stormo.start();
  const std::string body(1'500'000, 'b');
  EXPECT_THAT(once("POST /echo", {}, body), EndsWith("\r\n\r\n" + body));
  const std::string chunked =
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n";
  EXPECT_THAT(once("POST /echo", "Connection: close\r\n" + chunked),
              EndsWith("\r\n\r\nhello world"));
  TcpPeer peer(deadline, stormo.port());
  EXPECT_THAT(through(peer, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000001\r\n\r\n",
                      "\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpWorker, StreamsAndEventsArriveAsTheyAreSent) {
  stormo.start();
  EXPECT_THAT(once("GET /stream"), EndsWith("4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"));
  TcpPeer page(deadline, stormo.port());
  const std::string events =
      through(page, request("GET /events"), "event: both\nid: 1\ndata: a\ndata: b\n\n");
  EXPECT_THAT(events, HasSubstr("Content-Type: text/event-stream\r\n"));
}

TEST_F(HttpWorker, ErrorsOfTheHandlerAre500AndLoggedWithThePath) {
  stormo.start();
  EXPECT_THAT(once("GET /throw"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(once("GET /forget"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(once("GET /hello"), EndsWith("Hello world"));
  stormo.succeed({"stop"});
  const std::string log = stormo.foreground().waitForEnd().errors;
  EXPECT_THAT(log, HasSubstr("a handler that throws"));
  EXPECT_THAT(log, HasSubstr("path=\"/forget\""));
}

TEST_F(HttpWorker, AReloadAnswersWhatItHasAndClosesIdleConnections) {
  stormo.start({"--workers", "1"});
  TcpPeer idle(deadline, stormo.port());
  EXPECT_THAT(through(idle, request("GET /hello"), "Hello world"), StartsWith("HTTP/1.1 200 "));
  TcpPeer waiting(deadline, stormo.port());
  waitForAnAnswer(waiting);
  const auto reload = stormo.begin({"reload"});
  EXPECT_EQ(idle.readToEnd(), "");
  letItBeAnswered();
  const std::string answer = waiting.readToEnd();
  EXPECT_THAT(answer, EndsWith("\r\n\r\nat last"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(reload->waitForEnd().status, 0);
  EXPECT_THAT(once("GET /hello"), EndsWith("Hello world"));
}

TEST_F(HttpWorker, AGracefulStopEndsIdleConnectionsAndWaitsForStreams) {
  stormo.start();
  TcpPeer idle(deadline, stormo.port());
  EXPECT_THAT(through(idle, request("GET /hello"), "Hello world"), StartsWith("HTTP/1.1 200 "));
  TcpPeer page(deadline, stormo.port());
  through(page, request("GET /events"), "data: b\n\n");
  TcpPeer waiting(deadline, stormo.port());
  waitForAnAnswer(waiting);
  const auto stop = stormo.begin({"stop", "-g"});
  EXPECT_EQ(idle.readToEnd(), "");
  letItBeAnswered();
  EXPECT_THAT(waiting.readToEnd(), EndsWith("\r\n\r\nat last"));
  EXPECT_FALSE(stop->statusIfEnded());
  page.close();
  EXPECT_EQ(stop->waitForEnd().status, 0);
}

TEST_F(HttpWorker, AKilledWorkerIsReplaced) {
  stormo.start();
  const pid_t victim = stormo.pids("worker").at(0);
  ::kill(victim, SIGKILL);
  stormo.waitForStatus("a new worker",
                       [&](const Json&) { return stormo.pids("worker").at(0) != victim; });
  for (int i = 0; i < 10; ++i) EXPECT_THAT(once("GET /hello"), EndsWith("Hello world"));
}

TEST_F(HttpWorker, StatusAndConnectionsShowIt) {
  stormo.start();
  TcpPeer peer(deadline, stormo.port());
  through(peer, request("GET /hello"), "Hello world");
  const Json rows = stormo.connections();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("protocol"), "http");
  EXPECT_EQ(rows[0].at("state"), "ESTABLISHED");
}

TEST_F(HttpWorker, WebSocketAndPlainRequestsShareAnAddress) {
  stormo.start({"--listen", "websocket://127.0.0.1:0"});
  EXPECT_THAT(once("GET /hello"), EndsWith("Hello world"));
  auto client = test::WebSocketClient::open(stormo.port());
  ASSERT_TRUE(client.isOpen());
  client.sendText("echo");
  const auto frame = client.await();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload, "echo");
}

TEST_F(HttpWorker, SpeaksTls) {
  const test::TempDirectory made;
  const TlsCertificate files = test::makeCertificate(made);
  stormo.start({"--certificate", files.certificateFile, "--key", files.keyFile});
  TlsClient client(deadline, stormo.port());
  for (const char* name : {"one", "two"}) {
    client.tls.send(request("GET /hello?name=" + std::string(name)));
    client.awaitText(std::string("Hello ") + name);
  }
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.received, EndsWith("Hello two"));
}

TEST_F(HttpWorker, AWrongSchemeIsExplained) {
  const Outcome outcome = stormo.run({"start", "--listen", "https://127.0.0.1:0"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.errors, HasSubstr("http"));
}

}  // namespace
}  // namespace stormo::integration
