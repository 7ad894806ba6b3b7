// Plain requests and upgrades to WebSocket on one address.
#include <gmock/gmock.h>

#include "net/codec/http_fixture.h"
#include "net/limits/admission.h"
#include "net/proxy_peers.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using test::WebSocketClient;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// An endpoint of WebSocket whose plain requests go to the handler.
struct HttpUpgrade : HttpTest {
  HttpUpgrade() { useBoth({}); }

  void useBoth(const WebSocketOptions& options) {
    use(std::make_unique<WebSocketCodec>(options, WebSocketCodec::ConnectHandler(),
                                         [this](Connection&) { events.push_back("open"); }));
    http = std::make_unique<HttpCodec>(HttpOptions(), options, handler);
    httpEndpoint = endpoint;
    httpEndpoint.codec = http.get();
    httpEndpoint.other = &endpoint;
    endpoint.other = &httpEndpoint;
    events.clear();
  }

  std::unique_ptr<HttpCodec> http;
  Endpoint httpEndpoint;
};

TEST_F(HttpUpgrade, PlainRequestsGoToTheHandlerAndKeepTheConnection) {
  Connected client = connect();
  EXPECT_EQ(answersTo(client, post("a") + get("/b")), ok("POST / a") + ok("GET /b "));
  EXPECT_FALSE(client.peer.ended());
  EXPECT_EQ(answersTo(client, get("/c")), ok("GET /c "));
}

TEST_F(HttpUpgrade, APlainRequestByteByByteIsRead) {
  Connected client = connect();
  for (const char& byte : post("abc")) {
    client.peer.send({&byte, 1});
    turn();
  }
  settle();
  EXPECT_EQ(received(client), ok("POST / abc"));
}

TEST_F(HttpUpgrade, AnUpgradeOpensAtOnceOrAfterPlainRequests) {
  for (const bool isFirst : {true, false}) {
    events.clear();
    Connected accepted = connect();
    if (!isFirst) {
      EXPECT_EQ(answersTo(accepted, get("/1")), ok("GET /1 "));
      accepted.peer.send(get("/2"));  // in one turn with the upgrade
    }
    WebSocketClient client(std::move(accepted.peer));
    client.raw().send(WebSocketClient::request() + WebSocketClient::text("hi"));
    if (!isFirst) {
      ASSERT_TRUE(
          turnUntil([&] { return client.raw().drain().size() > ok("GET /2 ").size() + 30; }));
      std::string& got = client.raw().received();
      EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
      got.erase(0, got.find("GET /2 ") + 7);
    }
    ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
    settle();
    EXPECT_EQ(events.back(), "hi");
    EXPECT_EQ(table.find(last)->send("back"), SendStatus::Queued);
    settle();
    EXPECT_THAT(client.messages(), ElementsAre("back"));
    client.sendClose(CloseCode::Normal, "");
    ASSERT_TRUE(turnUntil([&] { return events.back() == "close 1000"; }));
  }
}

TEST_F(HttpUpgrade, AnInvalidUpgradeIsRefusedAndNotAPlainRequest) {
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/1")), ok("GET /1 "));
  EXPECT_THAT(answersTo(client, get("/", "Upgrade: websocket\r\n")), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(client.peer.ended());
  EXPECT_THAT(events, ElementsAre("GET /1 ", "close 1000"));
  EXPECT_THAT(answersTo(get("/", "Upgrade: websocket\r\n")), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpUpgrade, AnUpgradeWithABodyIsRefused) {
  Connected client = connect();
  answersTo(client, get("/1"));
  std::string request = WebSocketClient::request();
  request.insert(request.size() - 2, "Content-Length: 5\r\n");
  EXPECT_THAT(answersTo(client, request), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpUpgrade, OtherUpgradesAreIgnored) {
  EXPECT_EQ(answersTo(get("/", "Connection: Upgrade\r\nUpgrade: h2c\r\n")), ok("GET / "));
}

TEST_F(HttpUpgrade, WithoutAHandlerPlainRequestsAreAnsweredAsBefore) {
  handler = nullptr;
  Connected client = connect();
  EXPECT_THAT(answersTo(client, get("/")), StartsWith("HTTP/1.1 426 "));
  EXPECT_TRUE(client.peer.ended());
}

TEST_F(HttpUpgrade, MessagesThatWaitedForTheHandshakeAreNotPartOfAnAnswer) {
  endpoint.handlers.onConnect = [](Connection& connection) { (void)connection.send("too early"); };
  EXPECT_EQ(answersTo(get("/")), ok("GET / "));
}

TEST_F(HttpUpgrade, AnUpgradeHasAHandshakeTimeoutAgain) {
  endpoint.handshakeTimeout = httpEndpoint.handshakeTimeout = std::chrono::milliseconds(30);
  PendingHandshake handshake;
  codec = std::make_unique<WebSocketCodec>(
      WebSocketOptions(),
      [&](Connection&, WebSocketHandshake& theirs) { handshake = theirs.later(); });
  endpoint.codec = codec.get();
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/1")), ok("GET /1 "));
  EXPECT_EQ(answersTo(client, WebSocketClient::request()), "");
  ASSERT_TRUE(turnUntil([&] { return client.peer.ended(); }));
  EXPECT_THAT(received(client), StartsWith("HTTP/1.1 503 "));
  EXPECT_FALSE(handshake.accept());
}

TEST_F(HttpUpgrade, ALateUpgradeAfterPlainRequestsIsAccepted) {
  PendingHandshake handshake;
  codec = std::make_unique<WebSocketCodec>(
      WebSocketOptions(),
      [&](Connection&, WebSocketHandshake& theirs) { handshake = theirs.later(); });
  endpoint.codec = codec.get();
  Connected client = connect();
  EXPECT_EQ(answersTo(client, get("/1")), ok("GET /1 "));
  EXPECT_EQ(answersTo(client, WebSocketClient::request() + WebSocketClient::text("m")), "");
  ASSERT_TRUE(handshake.accept());
  settle();
  EXPECT_THAT(received(client), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(events.back(), "m");
}

/// A trusted proxy that sends requests of several clients over one connection.
struct HttpProxies : HttpTest {
  HttpProxies() {
    peers.emplace(proxy::TrustedProxies({"unix"}), ForwardedHeader::XForwardedFor);
    endpoint.proxies = &*peers;
    handler = [](const HttpRequest&, HttpResponse& response) {
      response.end(response.connection().remoteIp());
    };
  }
  ~HttpProxies() override {
    table.forEach([](ConnectionImpl& each) { each.destroy(); });
    settle();
  }
  static std::string getFor(const std::string& client) {
    return get("/", "X-Forwarded-For: " + client + "\r\n");
  }
  std::optional<ProxyPeers> peers;
};

TEST_F(HttpProxies, EachRequestHasTheClientThatItsProxyStates) {
  Connected proxy = connect();
  EXPECT_EQ(answersTo(proxy, getFor("203.0.113.1")), ok("203.0.113.1"));
  EXPECT_EQ(answersTo(proxy, getFor("203.0.113.2") + getFor("203.0.113.3")),
            ok("203.0.113.2") + ok("203.0.113.3"));
  EXPECT_THAT(answersTo(proxy, get("/")), testing::Not(HasSubstr("203.0.113.3")));
}

TEST_F(HttpProxies, AnAddressCountsWhileTheConnectionServesIt) {
  SharedAdmission shared({.connectionsPerAddress = {.max = 1}}, 1, 100);
  Admission admission(shared, 0, reactor);
  endpoint.admission = &admission;
  Connected first = connect();
  Connected second = connect();
  EXPECT_EQ(answersTo(first, getFor("203.0.113.1")), ok("203.0.113.1"));
  EXPECT_EQ(answersTo(first, getFor("203.0.113.1")), ok("203.0.113.1"));
  EXPECT_EQ(answersTo(first, getFor("203.0.113.2")), ok("203.0.113.2"));
  EXPECT_EQ(answersTo(second, getFor("203.0.113.1")), ok("203.0.113.1"));
  EXPECT_THAT(answersTo(second, getFor("203.0.113.2")), StartsWith("HTTP/1.1 429 "));
  EXPECT_TRUE(second.peer.ended());
  table.forEach([](ConnectionImpl& each) { each.destroy(); });
  settle();
  endpoint.admission = nullptr;
}

}  // namespace
}  // namespace stormo::net
