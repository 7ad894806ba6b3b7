// Connector with ws:// against this project's own server.
#include <algorithm>
#include <numeric>

#include "net/tls/tls_context.h"
#include "net/websocket_client_fixture.h"
#include "support/temp_directory.h"
#include "support/tls_peer.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOffer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
    "client_max_window_bits=15";

/// The server echoes, and keeps the latest request.
class OwnServerTest : public WebSocketClientTest {
 protected:
  OwnServerTest()
      : listener(loop, endpoint), listening(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {
    serve({});
    listener.start(listening.get());
  }
  void serve(WebSocketOptions options) {
    use(std::make_unique<WebSocketCodec>(std::move(options),
                                         [this](Connection&, WebSocketHandshake& handshake) {
                                           request = handshake.request;
                                           if (onHandshake) onHandshake(handshake);
                                         }));
    endpoint.handlers.onMessage = [](Connection& connection, Message message) {
      (void)connection.send(message);
    };
  }
  std::unique_ptr<Connector> client(const std::string& target = "/") {
    return clientOf(urlOf(listening, target));
  }
  bool open(Connector& connector) {
    connector.connect();
    return hasReported(1) && reported[0] == "connect";
  }
  /// Sends both, and returns what comes back.
  std::vector<std::string> echoOf(Connector& connector, const std::vector<std::string>& texts) {
    reported.clear();
    for (const std::string& text : texts) {
      EXPECT_EQ(connector.connection()->send(text), SendStatus::Queued);
    }
    EXPECT_TRUE(hasReported(texts.size()));
    return reported;
  }

  Listener listener;
  UniqueFd listening;
  HttpRequest request;
  std::function<void(WebSocketHandshake&)> onHandshake;
};

TEST_F(OwnServerTest, TextAndBinaryMessagesOfEachLengthComeBack) {
  auto connector = client();
  connector->maxSendBufferSize = 10 << 20;
  ASSERT_TRUE(open(*connector));
  for (const std::size_t bytes : {0u, 1u, 31u, 125u, 126u, 0xffffu, 0x10000u, 300'000u}) {
    std::string message(bytes, 'a');
    std::iota(message.begin(), message.end(), '\0');
    for (char& each : message) each = static_cast<char>(each & 0x7f);
    reported.clear();
    (void)connector->connection()->send(message);
    (void)connector->connection()->send(binary(message));
    ASSERT_TRUE(hasReported(2)) << bytes;
    EXPECT_TRUE(reported[0] == "text " + message) << bytes;
    EXPECT_TRUE(reported[1] == "binary " + message) << bytes;
  }
}

TEST_F(OwnServerTest, TheSamePassesOverTls) {
  const test::TempDirectory directory;
  const TlsCertificate own = test::makeCertificate(directory, "127.0.0.1");
  endpoint.tls = TlsContext::ofServer(TlsMaterial::read({.certificates = {own}}));
  auto connector = clientOf("wss" + urlOf(listening, "/chat?room=1").substr(2));
  connector->tls.authoritiesFile = own.certificateFile;
  connector->connect();
  (void)connector->connection()->send("early");
  ASSERT_TRUE(hasReported(2));
  EXPECT_THAT(reported, ElementsAre("connect", "text early"));
  EXPECT_EQ(request.target, "/chat?room=1");
  EXPECT_EQ(echoOf(*connector, {std::string(100'000, 'x')}).at(0).size(), 100'005u);
}

TEST_F(OwnServerTest, WhatIsSentBeforeTheHandshakeIsDoneLeavesAfterIt) {
  auto connector = client();
  connector->connect();
  ASSERT_NE(connector->connection(), nullptr);
  EXPECT_EQ(connector->connection()->send("early"), SendStatus::Queued);
  ASSERT_TRUE(hasReported(2));
  EXPECT_THAT(reported, ElementsAre("connect", "text early"));
}

TEST_F(OwnServerTest, OnConnectWaitsForTheServersAnswer) {
  std::vector<PendingHandshake> pending;
  onHandshake = [&](WebSocketHandshake& handshake) { pending.push_back(handshake.later()); };
  auto connector = client();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return !pending.empty(); }));
  settle();
  EXPECT_THAT(reported, IsEmpty());
  pending[0].accept();
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(OwnServerTest, TheRequestHasTargetHostAndHeaders) {
  auto connector = client("/chat/r%C3%B6m?name=Ada+L&x");
  connector->websocket.headers = {{"Authorization", "Bearer x"}, {"X-A", "1"}, {"X-A", "2"}};
  ASSERT_TRUE(open(*connector));
  EXPECT_EQ(request.target, "/chat/r%C3%B6m?name=Ada+L&x");
  EXPECT_EQ(request.header("Host"), localAddress(listening.get()).text());
  EXPECT_EQ(request.header("Authorization"), "Bearer x");
  EXPECT_EQ(request.headerCount("X-A"), 2u);
  EXPECT_EQ(request.headerCount("Origin"), 0u);
  EXPECT_EQ(request.headerCount("Sec-WebSocket-Protocol"), 0u);
  EXPECT_EQ(request.headerCount("Sec-WebSocket-Extensions"), 0u);
}

TEST_F(OwnServerTest, AHostHeaderReplacesThatOfTheUrl) {
  auto connector = client();
  connector->websocket.headers = {{"host", "chat.example"}};
  ASSERT_TRUE(open(*connector));
  EXPECT_EQ(request.headerCount("Host"), 1u);
  EXPECT_EQ(request.header("Host"), "chat.example");
}

TEST_F(OwnServerTest, TheServerChoosesASubprotocol) {
  serve({.subprotocols = {"v2", "v1"}});
  auto connector = client();
  connector->websocket.subprotocols = {"v9", "v1", "v2"};
  connector->onConnect = [&](Connection&) { reported.push_back(connector->subprotocol()); };
  connector->connect();
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("v1"));
  EXPECT_EQ(request.header("Sec-WebSocket-Protocol"), "v9, v1, v2");

  auto other = client();
  other->websocket.subprotocols = {"v9"};
  other->connect();
  ASSERT_TRUE(hasReported(2));
  EXPECT_EQ(other->subprotocol(), "");
}

TEST_F(OwnServerTest, ARefusalIsAnErrorWithItsStatusAndTheNextAttemptMaySucceed) {
  int handshakes = 0;
  onHandshake = [&](WebSocketHandshake& handshake) {
    if (++handshakes == 1) handshake.refuse(403, "not you");
  };
  auto connector = client();
  connector->reconnect = 1ms;
  std::error_code code;
  connector->onError = [&](const Error& error) {
    code = error.code;
    reported.push_back(error.message());
  };
  connector->connect();
  ASSERT_TRUE(hasReported(2));
  EXPECT_THAT(reported,
              ElementsAre("WebSocket handshake: the server answered 403 Forbidden", "connect"));
  EXPECT_EQ(code, std::error_code(403, webSocketHandshakeCategory()));
}

TEST_F(OwnServerTest, AServerThatRefusesIsNotPassedOverForTheNextAddress) {
  onHandshake = [](WebSocketHandshake& handshake) { handshake.refuse(404); };
  auto connector =
      clientOf("ws://localhost:" + std::to_string(localAddress(listening.get()).port()));
  connector->connect();
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre(HasSubstr("404 Not Found")));
}

TEST_F(OwnServerTest, CloseCodesPassBothWays) {
  auto connector = client();
  ASSERT_TRUE(open(*connector));
  connector->connection()->close(static_cast<CloseCode>(4001), "enough");
  ASSERT_TRUE(hasReported(2));
  EXPECT_EQ(reported[1], "close 4001 ");
  ASSERT_TRUE(turnUntil([&] { return events.size() == 2; }));
  EXPECT_THAT(events, ElementsAre("connect", "close 4001"));

  reported.clear();
  endpoint.handlers.onMessage = [](Connection& connection, Message) {
    connection.close(static_cast<CloseCode>(4002), "bye");
  };
  ASSERT_TRUE(open(*connector));
  (void)connector->connection()->send("!");
  ASSERT_TRUE(hasReported(2));
  EXPECT_EQ(reported[1], "close 4002 bye");
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
}

TEST_F(OwnServerTest, ClosingTheConnectorFlushesAndClosesWith1000) {
  auto connector = client();
  ASSERT_TRUE(open(*connector));
  recordEvents();
  events.clear();
  (void)connector->connection()->send("last words");
  connector->close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(events, ElementsAre("last words", "close 1000"));
}

TEST_F(OwnServerTest, ClosingDuringTheHandshakeCallsNoHandlerAndAllowsConnect) {
  std::vector<PendingHandshake> pending;
  onHandshake = [&](WebSocketHandshake& handshake) {
    if (pending.empty()) pending.push_back(handshake.later());
  };
  auto connector = client();
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return !pending.empty(); }));
  connector->close();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
  EXPECT_THAT(reported, IsEmpty());
  ASSERT_TRUE(open(*connector));
}

TEST_F(OwnServerTest, AMessageAboveTheLimitClosesWith1009) {
  auto connector = client();
  connector->maxPackageSize = 1000;
  ASSERT_TRUE(open(*connector));
  EXPECT_THAT(echoOf(*connector, {std::string(1000, 'x')}), testing::SizeIs(1));
  reported.clear();
  (void)connector->connection()->send(std::string(1001, 'x'));
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("close 1009 "));
  ASSERT_TRUE(turnUntil([&] { return events.back() == "close 1009"; }));
}

TEST_F(OwnServerTest, CompressedMessagesComeBackInFewerBytes) {
  const std::string text(20'000, 'x');
  for (const bool contextTakeover : {false, true}) {
    for (const bool serverTakeover : {false, true}) {
      serve({.deflate = {.enabled = true, .contextTakeover = serverTakeover}});
      auto connector = client();
      connector->websocket.deflate = {.enabled = true, .contextTakeover = contextTakeover};
      reported.clear();
      ASSERT_TRUE(open(*connector));
      if (!contextTakeover) {
        EXPECT_EQ(request.header("Sec-WebSocket-Extensions"), kOffer);
      }
      const auto before = connector->connection()->bytesRead();
      EXPECT_THAT(echoOf(*connector, {text, "short", text, ""}),
                  ElementsAre("text " + text, "text short", "text " + text, "text "));
      EXPECT_LT(connector->connection()->bytesRead() - before, 500u);
      EXPECT_LT(connector->connection()->bytesWritten(), 1000u);
      connector.reset();
      ASSERT_TRUE(turnUntil([&] { return table.size() == 0; }));
    }
  }
}

TEST_F(OwnServerTest, AServerThatDeclinesCompressionGetsPlainMessages) {
  auto connector = client();
  connector->websocket.deflate.enabled = true;
  ASSERT_TRUE(open(*connector));
  const std::string text(20'000, 'x');
  EXPECT_THAT(echoOf(*connector, {text}), ElementsAre("text " + text));
  EXPECT_GT(connector->connection()->bytesWritten(), 20'000u);
}

TEST_F(OwnServerTest, AMessageThatInflatesAboveTheLimitClosesWith1009) {
  serve({.deflate = {.enabled = true}});
  auto connector = client();
  connector->websocket.deflate.enabled = true;
  connector->maxPackageSize = 10'000;
  ASSERT_TRUE(open(*connector));
  (void)connector->connection()->send(std::string(10'001, 'x'));
  ASSERT_TRUE(hasReported(2));
  EXPECT_EQ(reported[1], "close 1009 ");
}

TEST_F(OwnServerTest, ALostConnectionIsMadeAgainWithANewHandshake) {
  auto connector = client();
  connector->reconnect = 1ms;
  ASSERT_TRUE(open(*connector));
  const std::string key(request.header("Sec-WebSocket-Key"));
  table.forEach([&](ConnectionImpl& connection) {
    if (connection.endpoint == &endpoint) connection.destroy();
  });
  ASSERT_TRUE(hasReported(3));
  EXPECT_THAT(reported, ElementsAre("connect", "close 1006 ", "connect"));
  EXPECT_NE(request.header("Sec-WebSocket-Key"), key);
}

TEST_F(OwnServerTest, HandlersMaySendAndCloseInOnConnect) {
  auto connector = client();
  connector->onConnect = [](Connection& connection) {
    (void)connection.send("hello");
    connection.close(static_cast<CloseCode>(4000), {});
  };
  connector->connect();
  ASSERT_TRUE(turnUntil([&] { return table.size() == 0 && !reported.empty(); }));
  EXPECT_THAT(reported, ElementsAre("close 4000 "));
}

TEST_F(OwnServerTest, SpeaksWebSocketOverAUnixSocket) {
  const test::TempDirectory directory;
  const UniqueFd local = std::move(*listenOn(*Address::unixPath(directory.file("s"))));
  listener.start(local.get());
  Connector connector("unix://" + directory.file("s"), Protocol::websocket());
  connector.onConnect = [this](Connection&) { reported.emplace_back("connect"); };
  connector.connect();
  ASSERT_TRUE(hasReported(1));
  EXPECT_EQ(request.target, "/");
  EXPECT_EQ(request.header("Host"), "localhost");
  listener.stop(local.get());
}

TEST_F(OwnServerTest, WhatCannotBeSentThrows) {
  auto connector = client();
  const auto messageOf = [&](WebSocketClientOptions options) {
    connector->websocket = std::move(options);
    try {
      connector->connect();
    } catch (const std::invalid_argument& refused) {
      return std::string(refused.what());
    }
    return std::string("no exception");
  };
  EXPECT_EQ(messageOf({.headers = {{"X Y", "1"}}}), "the header 'X Y' has no valid name");
  EXPECT_EQ(messageOf({.headers = {{"X", "1\r\nY: 2"}}}),
            "the header 'X' has a value of more than one line");
  EXPECT_EQ(messageOf({.headers = {{"sec-websocket-key", "1"}}}),
            "the header 'sec-websocket-key' is set by the handshake itself");
  EXPECT_EQ(messageOf({.headers = {{"Host", "a"}, {"host", "b"}}}),
            "the header 'Host' is there more than once");
  EXPECT_EQ(messageOf({.subprotocols = {"a b"}}), "the subprotocol 'a b' is no token");
  EXPECT_EQ(messageOf({.subprotocols = {"a", "b", "a"}}),
            "the subprotocol 'a' is there more than once");
  EXPECT_EQ(connector->connection(), nullptr);
}

TEST_F(OwnServerTest, UrlsThatCannotBeConnectedToThrow) {
  const auto messageOf = [](const std::string& url, std::optional<Protocol> protocol = {}) {
    try {
      const Connector connector(url, std::move(protocol));
    } catch (const std::invalid_argument& refused) {
      return std::string(refused.what());
    }
    return std::string("no exception");
  };
  EXPECT_THAT(messageOf("ws://chat.example", Protocol::text()), HasSubstr("text"));
  EXPECT_THAT(messageOf("websocket://127.0.0.1:1"), HasSubstr("write ws://host"));
  EXPECT_THAT(messageOf("ws://"), HasSubstr("no host"));
}

}  // namespace
}  // namespace stormo::net
