// Connector with ws:// against servers that violate RFC 6455, or are merely slow.
#include <set>

#include "net/codec/mask_keys.h"
#include "net/websocket_client_fixture.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using websocket::Opcode;

class HostileServerTest : public PlayedServerTest {
 protected:
  std::unique_ptr<Connector> client() { return clientOf(urlOf(listening)); }

  /// What the client reports when the server answers with these bytes.
  std::string reportOn(const std::function<std::string(const PlayedServer&)>& answer,
                       WebSocketClientOptions options = {}) {
    auto connector = client();
    connector->websocket = std::move(options);
    reported.clear();
    PlayedServer server = play(*connector);
    server.peer.send(answer(server));
    EXPECT_TRUE(hasReported(1));
    settle();
    EXPECT_EQ(reported.size(), 1u) << testing::PrintToString(reported);
    EXPECT_EQ(connector->connection() == nullptr, reported[0] != "connect");
    return reported[0];
  }
  /// The same for an answer with these header lines after the status line.
  std::string reportOnFields(const std::string& fields, WebSocketClientOptions options = {}) {
    return reportOn(
        [&](const PlayedServer& server) {
          std::string lines = fields;
          if (const auto at = lines.find("$accept"); at != std::string::npos) {
            lines.replace(at, 7, server.acceptLine());
          }
          return "HTTP/1.1 101 Switching Protocols\r\n" + lines + "\r\n";
        },
        std::move(options));
  }
  /// What the client answers, and reports, when an open connection gets these bytes.
  int codeOn(const std::string& bytes, const std::string& extra = {},
             WebSocketClientOptions options = {}) {
    auto connector = client();
    connector->websocket = std::move(options);
    connector->maxPackageSize = 1000;
    reported.clear();
    PlayedServer server = open(*connector, extra);
    server.peer.send(bytes);
    const ClientFrame frame = await(server);
    EXPECT_EQ(frame.header.opcode, Opcode::Close);
    EXPECT_TRUE(hasReported(1));
    EXPECT_THAT(reported, ElementsAre(HasSubstr("close " + std::to_string(frame.closeCode()))));
    return frame.closeCode();
  }
};

TEST_F(HostileServerTest, AStatusOtherThan101IsReported) {
  const auto report = [this](const std::string& head) {
    return reportOn([&](const PlayedServer&) { return head; });
  };
  EXPECT_EQ(report("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n"),
            "WebSocket handshake: the server answered 401 Unauthorized");
  EXPECT_EQ(report("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 4\r\n\r\nbody"),
            "WebSocket handshake: the server answered 302 Found");
  EXPECT_EQ(report("HTTP/1.0 200 OK\r\n\r\n<html>"),
            "WebSocket handshake: the server answered 200 OK");
  EXPECT_EQ(report("HTTP/1.1 599 \r\n\r\n"), "WebSocket handshake: the server answered 599");
}

TEST_F(HostileServerTest, AnAnswerThatIsNotHttpIsAnError) {
  for (const char* bytes : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 101 \r\n\r\n", "\x81\x05hello",
                            "\r\nHTTP/1.1 101 X\r\n\r\n", "HTTP/1.1 101 X\r\n: no name\r\n\r\n"}) {
    EXPECT_EQ(reportOn([&](const PlayedServer&) { return bytes; }),
              "WebSocket handshake: the server did not answer with HTTP/1.1")
        << bytes;
  }
  EXPECT_THAT(reportOn([](const PlayedServer& server) {
                std::string answer = server.answer();
                return answer.replace(0, 8, "HTTP/1.0");
              }),
              HasSubstr("HTTP/1.1"));
}

TEST_F(HostileServerTest, EachWrongFieldFailsTheHandshake) {  // RFC 6455 4.1
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string accept = "$accept";
  EXPECT_EQ(reportOnFields(upgrade + connection + accept), "connect");
  EXPECT_EQ(reportOnFields("UPGRADE:  WebSocket \r\nconnection: keep-alive, upgrade\r\n" + accept),
            "connect");

  const auto noUpgrade = HasSubstr("without 'Upgrade: websocket'");
  EXPECT_THAT(reportOnFields(connection + accept), noUpgrade);
  EXPECT_THAT(reportOnFields("Upgrade: h2c\r\n" + connection + accept), noUpgrade);
  EXPECT_THAT(reportOnFields("Upgrade: websocket, h2c\r\n" + connection + accept), noUpgrade);
  EXPECT_THAT(reportOnFields(upgrade + upgrade + connection + accept), noUpgrade);

  const auto noConnection = HasSubstr("without 'Connection: Upgrade'");
  EXPECT_THAT(reportOnFields(upgrade + accept), noConnection);
  EXPECT_THAT(reportOnFields(upgrade + "Connection: close\r\n" + accept), noConnection);

  const auto noAccept = HasSubstr("without the Sec-WebSocket-Accept");
  const std::string wrong = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  EXPECT_THAT(reportOnFields(upgrade + connection), noAccept);
  EXPECT_THAT(reportOnFields(upgrade + connection + wrong), noAccept);
  EXPECT_THAT(reportOnFields(upgrade + connection + accept + wrong), noAccept);
  EXPECT_THAT(reportOnFields(upgrade + connection + "Sec-WebSocket-Accept:\r\n"), noAccept);
}

TEST_F(HostileServerTest, ASubprotocolThatWasNotOfferedFailsTheHandshake) {
  const auto report = [this](const std::string& fields, std::vector<std::string> offered) {
    return reportOn([&](const PlayedServer& server) { return server.answer(fields); },
                    {.subprotocols = std::move(offered)});
  };
  const auto refused = HasSubstr("subprotocol that was not offered");
  const std::string chat = "Sec-WebSocket-Protocol: chat\r\n";
  EXPECT_EQ(report(chat, {"super", "chat"}), "connect");
  EXPECT_EQ(report("", {"chat"}), "connect");  // the server does not choose
  EXPECT_THAT(report(chat, {}), refused);
  EXPECT_THAT(report(chat, {"Chat"}), refused);
  EXPECT_THAT(report(chat + chat, {"chat"}), refused);
  EXPECT_THAT(report("Sec-WebSocket-Protocol: super, chat\r\n", {"super", "chat"}), refused);
  EXPECT_THAT(report("Sec-WebSocket-Protocol:\r\n", {"chat"}), refused);
}

TEST_F(HostileServerTest, AnExtensionThatWasNotOfferedFailsTheHandshake) {
  const auto report = [this](const std::string& extensions, DeflateOptions deflate) {
    return reportOn(
        [&](const PlayedServer& server) {
          return server.answer("Sec-WebSocket-Extensions: " + extensions + "\r\n");
        },
        {.deflate = deflate});
  };
  const auto refused = HasSubstr("extension");
  const std::string agreed = "permessage-deflate; server_no_context_takeover";
  EXPECT_EQ(report(agreed, {.enabled = true}), "connect");
  EXPECT_EQ(report(agreed + "; client_max_window_bits=8", {.enabled = true}), "connect");
  EXPECT_THAT(report(agreed, {}), refused);
  EXPECT_THAT(report("permessage-deflate", {.enabled = true}), refused);  // keeps its context
  EXPECT_THAT(report("x-other", {.enabled = true}), refused);
  EXPECT_THAT(report(agreed + ", x-other", {.enabled = true}), refused);
  EXPECT_THAT(report(agreed + "; client_max_window_bits=7", {.enabled = true}), refused);
  EXPECT_THAT(report("=", {.enabled = true}), refused);
  EXPECT_THAT(report("", {}), refused);
}

TEST_F(HostileServerTest, AnEndlessHeadIsAnError) {
  EXPECT_THAT(reportOn([](const PlayedServer&) {
                return "HTTP/1.1 101 X\r\nX: " + std::string(20'000, 'x');
              }),
              HasSubstr("longer than headBytesMax"));
  EXPECT_EQ(reportOn([](const PlayedServer& server) {
              return server.answer("X: " + std::string(10'000, 'x') + "\r\n");
            }),
            "connect");
}

TEST_F(HostileServerTest, InterimResponsesAreSkipped) {  // RFC 9110 15.2
  EXPECT_EQ(reportOn([](const PlayedServer& server) {
              return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" +
                     server.answer();
            }),
            "connect");
}

TEST_F(HostileServerTest, AnEndBeforeTheAnswerIsAnErrorAndTheNextAttemptFollows) {
  auto connector = client();
  connector->reconnect = 1ms;
  PlayedServer server = play(*connector);
  server.peer.send("HTTP/1.1 101 Switching");
  server.peer.close();
  PlayedServer next = acceptNext();
  EXPECT_THAT(reported, ElementsAre(HasSubstr("closed the connection before its answer")));
  next.peer.send(next.answer());
  ASSERT_TRUE(hasReported(2));
  EXPECT_EQ(reported[1], "connect");
}

TEST_F(HostileServerTest, ConnectTimeoutCoversTheHandshake) {
  auto connector = client();
  connector->connectTimeout = 30ms;
  PlayedServer server = play(*connector);
  server.peer.send("HTTP/1.1 101 Switching Protocols\r\n");
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("WebSocket handshake: Connection timed out"));
  EXPECT_EQ(connector->connection(), nullptr);
  ASSERT_TRUE(turnUntil([&] { return server.peer.ended(); }));
}

TEST_F(HostileServerTest, FramesRightAfterTheAnswerAreDelivered) {
  auto connector = client();
  PlayedServer server = play(*connector);
  server.peer.send(server.answer() + serverFrame(0x81, "first") + serverFrame(0x82, "second") +
                   serverFrame(0x88, std::string("\x0f\xa0", 2) + "bye"));
  ASSERT_TRUE(hasReported(4));
  EXPECT_THAT(reported, ElementsAre("connect", "text first", "binary second", "close 4000 bye"));
  EXPECT_EQ(await(server).closeCode(), 4000);
}

TEST_F(HostileServerTest, AnAnswerByteByByteIsTheSame) {
  auto connector = client();
  PlayedServer server = play(*connector);
  const std::string bytes = server.answer() + serverFrame(0x81, "hello");
  for (const char each : bytes) {
    server.peer.send({&each, 1});
    turn();
  }
  ASSERT_TRUE(hasReported(2));
  EXPECT_THAT(reported, ElementsAre("connect", "text hello"));
}

TEST_F(HostileServerTest, AConnectionPausedInOnConnectGetsItsMessagesAfterwards) {
  auto connector = client();
  connector->onConnect = [](Connection& connection) { connection.pauseRecv(); };
  PlayedServer server = play(*connector);
  server.peer.send(server.answer() + serverFrame(0x81, "later"));
  ASSERT_TRUE(turnUntil([&] { return connector->connection()->bytesRead() > 100; }));
  settle();
  EXPECT_THAT(reported, IsEmpty());
  connector->connection()->resumeRecv();
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("text later"));
}

TEST_F(HostileServerTest, FragmentsAreJoinedAndPingsBetweenThemAnswered) {
  auto connector = client();
  PlayedServer server = open(*connector);
  server.peer.send(serverFrame(0x01, "one, ") + serverFrame(0x89, "are you there?") +
                   serverFrame(0x00, "two, ") + serverFrame(0x80, "three"));
  ASSERT_TRUE(hasReported(1));
  EXPECT_THAT(reported, ElementsAre("text one, two, three"));
  const ClientFrame pong = await(server);
  EXPECT_EQ(pong.header.opcode, Opcode::Pong);
  EXPECT_EQ(pong.payload, "are you there?");
}

TEST_F(HostileServerTest, EachViolationHasItsCloseCode) {
  std::string masked = serverFrame(0x81, "hello");
  masked[1] = static_cast<char>(masked[1] | 0x80);
  EXPECT_EQ(codeOn(masked), 1002);
  EXPECT_EQ(codeOn(serverFrame(0xc1, "x")), 1002);  // compressed, which was not agreed on
  EXPECT_EQ(codeOn(serverFrame(0x83, "x")), 1002);
  EXPECT_EQ(codeOn(serverFrame(0x80, "continues nothing")), 1002);
  EXPECT_EQ(codeOn(serverFrame(0x89, std::string(126, 'x'))), 1002);
  EXPECT_EQ(codeOn(serverFrame(0x81, "\xff")), 1007);
  EXPECT_EQ(codeOn(serverFrame(0x81, std::string(1001, 'x'))), 1009);
  EXPECT_EQ(
      codeOn(serverFrame(0x01, std::string(600, 'x')) + serverFrame(0x80, std::string(600, 'x'))),
      1009);
}

TEST_F(HostileServerTest, ACompressedMessageThatIsInvalidOrTooLongClosesTheConnection) {
  const std::string extra =
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
  const WebSocketClientOptions offering{.deflate = {.enabled = true}};
  websocket::Deflater deflater(15);
  const std::string bomb(deflater.deflate(std::string(1 << 20, 'x')));
  EXPECT_EQ(codeOn(serverFrame(0xc1, bomb), extra, offering), 1009);
  EXPECT_EQ(codeOn(serverFrame(0xc1, "\xff\xff\xff"), extra, offering), 1007);
}

TEST_F(HostileServerTest, EachFrameIsMaskedByANewKey) {
  auto connector = client();
  PlayedServer server = open(*connector);
  std::set<std::string> masks;
  for (int i = 0; i < 200; ++i) {
    (void)connector->connection()->send("the same");
    const ClientFrame frame = await(server);
    EXPECT_EQ(frame.payload, "the same");
    masks.insert(frame.mask());
  }
  EXPECT_GE(masks.size(), 199u);  // two of 200 random numbers are equal once in 200,000 runs
}

TEST_F(HostileServerTest, ASilentServerIsPingedAndThenGivenUp) {
  auto connector = client();
  connector->pingInterval = 5ms;
  connector->pongTimeout = 20ms;
  PlayedServer server = open(*connector);
  const ClientFrame ping = await(server);
  EXPECT_EQ(ping.header.opcode, Opcode::Ping);
  EXPECT_TRUE(ping.header.masked);
  ASSERT_TRUE(hasReported(2));
  EXPECT_THAT(reported, ElementsAre("pong: Connection timed out", "close 1006 "));
}

TEST(MaskKeys, AreNotRepeated) {
  MaskKeys keys;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.emplace(keys.next(), MaskKeys::kKeyBytes);
  EXPECT_GE(seen.size(), 998u);
  EXPECT_NE(randomHandshakeKey(), randomHandshakeKey());
  EXPECT_EQ(randomHandshakeKey().size(), 24u);
}

}  // namespace
}  // namespace stormo::net
