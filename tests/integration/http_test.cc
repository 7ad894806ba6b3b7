// Answers of the WebSocket port to plain HTTP and to invalid handshakes.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "integration/harness/tcp_peer.h"
#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Http : public WithStormo {
 protected:
  std::string exchange(const std::string& requestLine, const std::string& headers = {}) {
    return httpExchange(
        deadline, stormo.port(),
        requestLine + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n");
  }
  static std::string bodyOf(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
  }
};

TEST_F(Http, TheRootIsAPageToTryIt) {
  startStormo({"--workers", "1"});
  const std::string response = exchange("GET /");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(bodyOf(response), StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(response,
              HasSubstr("Content-Length: " + std::to_string(bodyOf(response).size()) + "\r\n"));
}

TEST_F(Http, TheJavaScriptClientIsServedToPagesOfAnyOrigin) {
  startStormo({"--workers", "1"});
  const std::string response = exchange("GET /stormo.js", "Origin: https://elsewhere.example\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Type: text/javascript; charset=utf-8\r\n"));
  EXPECT_THAT(response, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(bodyOf(response), HasSubstr("export {StormoError, connect}"));
}

TEST_F(Http, HeadIsAnsweredLikeGetWithoutTheBody) {
  startStormo({"--workers", "1"});
  const std::string get = exchange("GET /");
  const std::string head = exchange("HEAD /");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(bodyOf(get).size()) + "\r\n"));
  EXPECT_EQ(bodyOf(head), "");
}

TEST_F(Http, OtherPathsAre404AndOtherMethods405) {
  startStormo({"--workers", "1"});
  EXPECT_THAT(exchange("GET /nothing"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(exchange("GET /?a=b"), StartsWith("HTTP/1.1 200 "));
  const std::string post = exchange("POST /", "Content-Length: 0\r\n");
  EXPECT_THAT(post, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(post, HasSubstr("Allow: "));
}

TEST_F(Http, WithoutThePageTheScriptIsStillServed) {
  startStormo({"--workers", "1", "--page", "false"});
  EXPECT_THAT(exchange("GET /"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(exchange("GET /stormo.js"), StartsWith("HTTP/1.1 200 OK\r\n"));
  clients().join(clients().connect(), "123");
}

TEST_F(Http, HealthChecksAreAnsweredAlsoWithoutThePage) {
  startStormo({"--workers", "1", "--page", "false"});
  const std::string check = "GET /ready HTTP/1.0\r\n\r\n";
  EXPECT_THAT(httpExchange(deadline, stormo.port(), check), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(httpExchange(deadline, stormo.port(), "OPTIONS / HTTP/1.0\r\n\r\n"),
              HasSubstr("{\"status\":\"ready\"}"));
}

TEST_F(Http, ReadyIs503WhileThereIsNoLinkToTheChannel) {
  startStormo({"--workers", "1", "--channel", "unix://" + stormo.folder() + "/nobody"});
  EXPECT_THAT(exchange("GET /ready"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(bodyOf(exchange("GET /ready")), HasSubstr("no link to the Channel"));
  EXPECT_THAT(exchange("GET /health"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

class HttpOfAStop : public Http {
 protected:
  /// By whichever workers the kernel chooses.
  void expectThatNoClientsAreTaken(std::uint16_t port) {
    for (int i = 0; i < 8; ++i) {
      const auto answer = [&](const std::string& request) {
        return httpExchange(deadline, port, request);
      };
      const std::string ready = answer("GET /ready HTTP/1.0\r\n\r\n");
      EXPECT_THAT(ready, StartsWith("HTTP/1.1 503 "));
      EXPECT_THAT(bodyOf(ready), HasSubstr("closing"));
      EXPECT_THAT(answer("GET /health HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
      const std::string upgrade = answer(test::WebSocketClient::request());
      EXPECT_THAT(upgrade, StartsWith("HTTP/1.1 503 "));
      EXPECT_THAT(upgrade, HasSubstr("Retry-After: "));
    }
  }
  void awaitWorkers(const std::string& state, std::ptrdiff_t number) {
    stormo.waitForStatus(state, [&](const Json& report) {
      const Json& rows = report.at("processes");
      return std::count_if(rows.begin(), rows.end(), [&](const Json& row) {
               return row.at("kind") == "worker" && row.at("status") == state;
             }) == number;
    });
    static_cast<void>(stormo.connections());  // each answers it after the order to stop
  }
};

TEST_F(HttpOfAStop, APacedStopAnswersReadyAndHandshakesWith503) {
  startStormo({"--workers", "2"});
  const std::uint16_t port = stormo.port();
  connectToDifferentWorkers(stormo, clients(), 2);
  clients().connect(20);
  const auto stop = stormo.begin({"stop", "-g", "--over", "1h"});
  awaitWorkers("stopping", 2);
  expectThatNoClientsAreTaken(port);
  EXPECT_FALSE(stop->statusIfEnded());
  EXPECT_EQ(runBesideClients({"stop"}).status, 0);
  EXPECT_EQ(stop->waitForEnd().status, 0);
}

TEST_F(HttpOfAStop, AWorkerWithoutClientsEndsAndTheOthersAnswer) {
  startStormo({"--workers", "2"});
  const std::uint16_t port = stormo.port();
  const Id id = clients().connect();
  const auto stop = stormo.begin({"stop", "-g", "--timeout", "3600"});
  awaitWorkers("stopping", 1);
  expectThatNoClientsAreTaken(port);
  clients().close(id);
  clients().waitUntilClosed(id);
  EXPECT_EQ(stop->waitForEnd().status, 0);
}

TEST_F(Http, MalformedAndTooLongRequestHeadsAreRejected) {
  startStormo({"--workers", "1"});
  EXPECT_THAT(httpExchange(deadline, stormo.port(), "good day to you\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(exchange("GET /", "X: " + std::string(20'000, 'x') + "\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("GET /", "Upgrade: websocket\r\n"), Not(StartsWith("HTTP/1.1 101 ")));
  clients().join(clients().connect(), "123");
}

TEST_F(Http, SlowHandshakesAreDisconnected) {
  startStormo({"--workers", "1", "--handshake-timeout", "1"});
  std::vector<std::unique_ptr<TcpPeer>> peers;
  const std::uint16_t port = stormo.port();
  for (int i = 0; i < 40; ++i) {
    peers.push_back(std::make_unique<TcpPeer>(deadline, port));
    if (i % 2 == 0) peers.back()->send("GET / HTTP/1.1\r\nHost: localh");  // the others are silent
  }
  for (const auto& peer : peers) EXPECT_THAT(peer->readToEnd(), StartsWith("HTTP/1.1 408 "));
  peers.clear();
  stormo.waitForStatus("nobody left", [](const Json& report) { return clientsIn(report) == 0; });
}

TEST_F(Http, OnlyPagesOfTheListedOriginsMayConnect) {
  startStormo(
      {"--workers", "1", "--origin", "https://example.com", "--origin", "http://localhost:8080"});
  const std::vector<std::pair<std::string, int>> table = {
      {"Origin: https://example.com\r\n", 101},
      {"Origin: http://localhost:8080\r\n", 101},
      {"Origin: http://example.com\r\n", 403},
      {"Origin: https://example.com.evil.org\r\n", 403},
      {"Origin: http://localhost\r\n", 403},
      {"Origin: null\r\n", 403},
      {"", 101},  // no browser
  };
  for (const auto& [header, status] : table) {
    const Id id = clients().begin("/", header);
    clients().runUntil("an answer",
                       [&] { return clients()[id].state != SwarmClient::State::Opening; });
    EXPECT_EQ(clients()[id].httpStatus, status) << header;
  }
}

}  // namespace
}  // namespace stormo::integration
