#include <sstream>
#include <stdexcept>

#include "net/codec/handshake_fixture.h"

namespace stormo::net {
namespace {

using namespace std::chrono_literals;
using test::WebSocketClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WebSocketHandshakeTest : public HandshakeTest {
 protected:
  static std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  /// Expects that response, then an end of file without a reset.
  void expectRefusal(WebSocketClient& client, int status) {
    EXPECT_EQ(client.status(), status);
    EXPECT_EQ(client.header("Connection"), status == 426 ? "close, Upgrade" : "close");
    ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
    EXPECT_EQ(std::to_string(client.body().size()), client.header("Content-Length"));
    client.raw().close();
    ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  }
};

TEST_F(WebSocketHandshakeTest, AValidRequestIsAnsweredWith101) {
  WebSocketClient client = ask(WebSocketClient::request());
  EXPECT_EQ(client.status(), 101);
  EXPECT_EQ(client.header("Upgrade"), "websocket");
  EXPECT_EQ(client.header("Connection"), "Upgrade");
  EXPECT_EQ(client.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(client.header("Sec-WebSocket-Protocol"), "");
  EXPECT_THAT(events, ElementsAre("connect", "open"));
}

TEST_F(WebSocketHandshakeTest, ARequestMayArriveByteByByteOrWithAMessage) {
  WebSocketClient client = connect();
  for (const char byte : WebSocketClient::request()) {
    client.raw().send({&byte, 1});
    turn();
  }
  EXPECT_TRUE(client.isOpen());
  WebSocketClient other = ask(WebSocketClient::request() + WebSocketClient::text("at once"));
  settle();
  EXPECT_EQ(events.back(), "at once");
}

TEST_F(WebSocketHandshakeTest, BytesThatAreNotHttpAreABadRequest) {
  WebSocketClient client = ask("SSH-2.0-OpenSSH\r\n");
  expectRefusal(client, 400);
  EXPECT_EQ(counters().badPeers.get(), 1u);
}

TEST_F(WebSocketHandshakeTest, AnUpgradeWithoutAKeyIsABadRequest) {
  WebSocketClient client =
      ask("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 13\r\n\r\n");
  expectRefusal(client, 400);
}

TEST_F(WebSocketHandshakeTest, OriginsThatAreNotAllowedGet403) {
  useWebSocket({.origins = {"https://example.com"}});
  WebSocketClient refused = ask(WebSocketClient::request("/", "Origin: https://evil.example\r\n"));
  expectRefusal(refused, 403);
  EXPECT_EQ(counters().originsRefused.get(), 1u);
  EXPECT_EQ(ask(WebSocketClient::request("/", "Origin: https://example.com\r\n")).status(), 101);
  EXPECT_EQ(ask(WebSocketClient::request()).status(), 101);
}

TEST_F(WebSocketHandshakeTest, ARefusedOriginIsLoggedOnceEscapedAndCut) {
  useWebSocket({.origins = {"https://example.com"}});
  const std::string origin = "https://evil\".example/" + std::string(1000, 'x');
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) ask(WebSocketClient::request("/", "Origin: " + origin + "\r\n"));
  for (int i = 0; i < 100; ++i) {
    ask(WebSocketClient::request("/", "Origin: https://" + std::to_string(i) + ".example\r\n"));
  }
  std::istringstream log(testing::internal::GetCapturedStderr());
  EXPECT_EQ(counters().originsRefused.get(), 105u);
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), net::RefusalLogLimit::kTextsMax);
  EXPECT_THAT(lines[0], testing::HasSubstr(R"(origin="https://evil\".example/xxx)"));
  EXPECT_LT(lines[0].size(), 400u);
}

TEST_F(WebSocketHandshakeTest, PlainRequestsGetPages) {
  useWebSocket({.pages = {{"/", {.body = "<h1>hello</h1>"}},
                          {"/a.js", {"text/javascript", "let a;", {{"X-Kind", "module"}}}}}});
  WebSocketClient page = ask(get("/?query=1"));
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("X-Kind"), "");
  expectRefusal(page, 200);
  EXPECT_EQ(page.body(), "<h1>hello</h1>");

  WebSocketClient script = ask(get("/a.js"));
  EXPECT_EQ(script.header("Content-Type"), "text/javascript");
  EXPECT_EQ(script.header("X-Kind"), "module");
  expectRefusal(script, 200);

  WebSocketClient missing = ask(get("/b.js"));
  expectRefusal(missing, 404);
  EXPECT_EQ(ask(WebSocketClient::request("/anywhere")).status(), 101);
}

TEST_F(WebSocketHandshakeTest, HeadGetsTheHeadOfAPage) {
  useWebSocket({.pages = {{"/", {.body = "<h1>hello</h1>"}}}});
  WebSocketClient client = ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.status(), 200);
  EXPECT_EQ(client.header("Content-Length"), "14");
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.body(), "");
}

TEST_F(WebSocketHandshakeTest, OtherMethodsGet405AndTheirBodyIsDropped) {
  for (const bool withPages : {false, true}) {
    WebSocketOptions options;
    if (withPages) options.pages = {{"/", {.body = "x"}}};
    useWebSocket(options);
    WebSocketClient client =
        ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + WebSocketClient::text("a"));
    EXPECT_THAT(client.header("Allow"), HasSubstr("GET"));
    expectRefusal(client, 405);
    EXPECT_THAT(takeEvents(), ElementsAre("connect", "close 1000"));
  }
  EXPECT_EQ(counters().messagesIn.get(), 0u);
}

TEST_F(WebSocketHandshakeTest, WithoutPagesAPlainRequestGets426) {
  WebSocketClient client = ask(get("/"));
  EXPECT_EQ(client.header("Upgrade"), "websocket");
  EXPECT_EQ(client.header("Sec-WebSocket-Version"), "13");
  expectRefusal(client, 426);
}

TEST_F(WebSocketHandshakeTest, AnotherVersionGets426WithTheSupportedVersion) {
  useWebSocket({.pages = {{"/", {.body = "x"}}}});
  WebSocketClient client =
      ask("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n");
  EXPECT_EQ(client.header("Sec-WebSocket-Version"), "13");
  expectRefusal(client, 426);
}

TEST_F(WebSocketHandshakeTest, AHeadWithoutEndGets431) {
  useWebSocket({.headBytesMax = 1000});
  WebSocketClient client = ask("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(1000, 'x'));
  expectRefusal(client, 431);
}

TEST_F(WebSocketHandshakeTest, HandshakeTimeoutGets408) {
  endpoint.handshakeTimeout = 20ms;
  for (const char* begun : {"", "GET / HTTP/1.1\r\nHost: x\r\n"}) {
    WebSocketClient client = connect();
    client.raw().send(begun);
    ASSERT_TRUE(turnUntil([&] { return client.answered(); }));
    expectRefusal(client, 408);
  }
  WebSocketClient quick = ask(WebSocketClient::request());
  ASSERT_TRUE(turnUntil([&, begin = loop.now()] { return loop.now() > begin + 100ms; }));
  EXPECT_NE(table.find(last), nullptr) << "the timeout is for the handshake only";
}

TEST_F(WebSocketHandshakeTest, OnWebSocketConnectSeesTheRequestAndMayRefuseIt) {
  useWebSocket({}, [](Connection&, WebSocketHandshake& handshake) {
    if (handshake.request.query != "token=1") handshake.refuse(401, "who are you?");
  });
  WebSocketClient refused = ask(WebSocketClient::request("/chat?token=2"));
  EXPECT_EQ(refused.body(), "who are you?\n");
  expectRefusal(refused, 401);
  EXPECT_TRUE(ask(WebSocketClient::request("/chat?token=1")).isOpen());
}

TEST_F(WebSocketHandshakeTest, ASubprotocolIsChosenFromTheOfferedOrByTheHandler) {
  useWebSocket({.subprotocols = {"v2", "v1"}});
  const std::string offer = "Sec-WebSocket-Protocol: v1, v2\r\n";
  EXPECT_EQ(ask(WebSocketClient::request("/", offer)).header("Sec-WebSocket-Protocol"), "v1");
  useWebSocket({.subprotocols = {"v2", "v1"}}, [](Connection&, WebSocketHandshake& handshake) {
    EXPECT_EQ(handshake.subprotocol, "v1");
    handshake.subprotocol = "v2";
  });
  EXPECT_EQ(ask(WebSocketClient::request("/", offer)).header("Sec-WebSocket-Protocol"), "v2");
}

TEST_F(WebSocketHandshakeTest, MessagesSentBeforeItFollowTheResponse) {
  useWebSocket(
      {}, [](Connection& connection, WebSocketHandshake&) { (void)connection.send("second"); });
  endpoint.handlers.onConnect = [](Connection& connection) { (void)connection.send("first"); };
  WebSocketClient client = connect();
  settle();
  EXPECT_EQ(client.raw().take(), "");
  const auto calls = counters().sendCalls.get();
  client.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  EXPECT_THAT(client.messages(), ElementsAre("first", "second"));
  EXPECT_EQ(counters().sendCalls.get(), calls + 1);
}

TEST_F(WebSocketHandshakeTest, MessagesSentBeforeARefusalAreDropped) {
  useWebSocket({}, [](Connection&, WebSocketHandshake& handshake) { handshake.refuse(403); });
  endpoint.handlers.onConnect = [](Connection& connection) { (void)connection.send("secret"); };
  WebSocketClient client = ask(WebSocketClient::request());
  expectRefusal(client, 403);
  EXPECT_EQ(client.body().find("secret"), std::string::npos);
}

TEST_F(WebSocketHandshakeTest, SendsBeforeItAreLimited) {
  endpoint.sendQueueBytesMax = 100;
  WebSocketClient client = connect();
  EXPECT_EQ(table.find(last)->send(std::string(90, 'a')), SendStatus::Queued);
  turn();
  EXPECT_EQ(table.find(last)->send(std::string(90, 'b')), SendStatus::Full);
  turn();
  EXPECT_THAT(takeEvents(), ElementsAre("connect", "full"));
  client.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return client.isOpen(); }));
  EXPECT_EQ(client.messages().size(), 1u);
  EXPECT_THAT(events, ElementsAre("open", "drain"));
}

TEST_F(WebSocketHandshakeTest, CloseBeforeItSendsAnHttpResponse) {
  WebSocketClient client = connect();
  table.find(last)->close(CloseCode::GoingAway);
  ASSERT_TRUE(turnUntil([&] { return client.answered(); }));
  expectRefusal(client, 503);
  EXPECT_THAT(events, ElementsAre("connect", "close 1001"));
}

TEST_F(WebSocketHandshakeTest, AHandlerThatThrowsIsAnInternalError) {
  useWebSocket({}, [](Connection&, WebSocketHandshake&) { throw std::runtime_error("oops"); });
  WebSocketClient client = ask(WebSocketClient::request());
  expectRefusal(client, 500);
  EXPECT_EQ(client.body().find("oops"), std::string::npos);
  EXPECT_THAT(events, ElementsAre("connect", "close 1011"));
}

TEST_F(WebSocketHandshakeTest, AHandlerMayCloseOrDestroy) {
  useWebSocket({}, [](Connection& connection, WebSocketHandshake&) { connection.close(); });
  WebSocketClient closed = ask(WebSocketClient::request());
  expectRefusal(closed, 503);
  useWebSocket({}, [](Connection& connection, WebSocketHandshake&) { connection.destroy(); });
  WebSocketClient destroyed = connect();
  destroyed.sendHandshake();
  ASSERT_TRUE(turnUntil([&] { return destroyed.ended(); }));
  EXPECT_FALSE(destroyed.answered());
}

TEST_F(WebSocketHandshakeTest, AHandlerMayPauseAndMessagesAfterTheRequestWait) {
  useWebSocket({}, [](Connection& connection, WebSocketHandshake&) { connection.pauseRecv(); });
  WebSocketClient client = ask(WebSocketClient::request() + WebSocketClient::text("later"));
  settle();
  EXPECT_THAT(events, ElementsAre("connect", "open"));
  table.find(last)->resumeRecv();
  settle();
  EXPECT_THAT(events, ElementsAre("connect", "open", "later"));
}

TEST_F(WebSocketHandshakeTest, AClientThatDisconnectsBeforeItIsNoError) {
  WebSocketClient client = connect();
  client.raw().send("GET / HT");
  turn();
  client.raw().close();
  settle();
  EXPECT_THAT(events, ElementsAre("connect", "close 1006"));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(WebSocketHandshakeTest, AnUpgradeToSomethingElseIsIgnored) {
  useWebSocket({.pages = {{"/", {.body = "<h1>hello</h1>"}}}});
  WebSocketClient page =
      ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
          "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  expectRefusal(page, 200);
  EXPECT_EQ(page.body(), "<h1>hello</h1>");
}

TEST_F(WebSocketHandshakeTest, AnEmptyLineBeforeTheRequestIsIgnored) {
  EXPECT_EQ(ask("\r\n" + WebSocketClient::request()).status(), 101);
}

TEST_F(WebSocketHandshakeTest, ARefusedHeadRequestGetsNoBody) {
  WebSocketClient client = ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.status(), 405);
  ASSERT_TRUE(turnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.body(), "");
  EXPECT_NE(client.header("Content-Length"), "0");
}

TEST_F(WebSocketHandshakeTest, AHeadByteByByteIsNotParsedForEachByte) {
  useWebSocket({.headBytesMax = 16 << 10});
  WebSocketClient client = connect();
  std::string head = WebSocketClient::request("/", "X: " + std::string(12'000, 'x') + "\r\n");
  const std::string_view first = std::string_view(head).substr(0, 12'000);
  client.raw().send(first);
  settle();
  // The error is found when the head is parsed again: at its end, not at the next byte.
  client.raw().send("\r\nno colon\r\n");
  settle();
  EXPECT_FALSE(client.answered());
  client.raw().send("\r\n");
  ASSERT_TRUE(turnUntil([&] { return client.answered(); }));
  expectRefusal(client, 400);
}

}  // namespace
}  // namespace stormo::net
