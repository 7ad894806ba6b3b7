#include "protocol/websocket/client_handshake.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "protocol/http/http_request.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/handshake_error.h"

namespace stormo::websocket {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";         // RFC 6455 1.3
constexpr const char* kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // its answer

HttpResponseHead accepting() {
  return {
      .status = 101,
      .headers = {
          {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kAccept}}};
}

TEST(UpgradeRequest, HasTheseBytes) {
  const UpgradeRequest request{.target = "/chat",
                               .host = "server.example.com",
                               .headers = {{"Origin", "http://example.com"}},
                               .subprotocols = {"chat", "superchat"},
                               .deflate = DeflateParameters{.serverNoContextTakeover = true}};
  EXPECT_EQ(request.withKey(kKey),
            "GET /chat HTTP/1.1\r\n"
            "Host: server.example.com\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: chat, superchat\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
            "Origin: http://example.com\r\n"
            "\r\n");
}

TEST(UpgradeRequest, IsAcceptedByTheServersSide) {
  const std::string bytes = UpgradeRequest{}.withKey(kKey);
  HttpRequest request;
  std::size_t headBytes = 0;
  ASSERT_EQ(decodeHead(bytes, 4096, request, headBytes), HeadDecode::Ok);
  EXPECT_EQ(headBytes, bytes.size());
  EXPECT_EQ(judgeUpgrade(request).status, 101);
  EXPECT_EQ(acceptKey(request.header("Sec-WebSocket-Key")), kAccept);
}

TEST(UpgradeAnswer, ThatAcceptsHasNoError) {
  const UpgradeAnswer answer = judgeAnswer(accepting(), {}, kAccept);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.subprotocol, "");
  EXPECT_FALSE(answer.deflate);
}

TEST(UpgradeAnswer, HasTheChosenSubprotocolAndCompression) {
  HttpResponseHead head = accepting();
  head.headers.push_back({"Sec-WebSocket-Protocol", "chat"});
  head.headers.push_back(
      {"Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=10"});
  const UpgradeAnswer answer =
      judgeAnswer(head, {.subprotocols = {"chat"}, .deflate = DeflateParameters{}}, kAccept);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.subprotocol, "chat");
  EXPECT_EQ(answer.deflate, DeflateParameters{.serverWindowBits = 10});
}

TEST(UpgradeAnswer, ThatRefusesHasItsStatusAsError) {
  HttpResponseHead head = accepting();
  head.status = 503;
  const UpgradeAnswer answer = judgeAnswer(head, {}, kAccept);
  EXPECT_EQ(answer.error, std::error_code(503, webSocketHandshakeCategory()));
  EXPECT_EQ(answer.error.message(), "the server answered 503 Service Unavailable");
}

TEST(UpgradeAnswer, WithAWrongFieldHasAnErrorThatNamesIt) {  // RFC 6455 4.1
  const auto judgeWith = [](std::size_t field, const char* value) {
    HttpResponseHead head = accepting();
    head.headers[field].value = value;
    return judgeAnswer(head, {}, kAccept).error;
  };
  EXPECT_EQ(judgeWith(0, "websockets"), HandshakeError::NoUpgrade);
  EXPECT_EQ(judgeWith(1, "Upgrades"), HandshakeError::NoConnection);
  EXPECT_EQ(judgeWith(2, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="), HandshakeError::WrongAccept);
  HttpResponseHead head = accepting();
  head.versionMinor = 0;
  EXPECT_EQ(judgeAnswer(head, {}, kAccept).error, HandshakeError::NotHttp);
}

TEST(HandshakeError, EachHasATextOfItsOwn) {
  for (int value = 1; value <= static_cast<int>(HandshakeError::Extension); ++value) {
    const std::error_code error(value, webSocketHandshakeCategory());
    EXPECT_NE(error.message(), "unknown error") << value;
  }
}

}  // namespace
}  // namespace stormo::websocket
