#include "protocol/websocket/handshake.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stormo::websocket {
namespace {

/// The handshake of RFC 6455 1.3.
HttpRequest goodRequest() {
  HttpRequest request;
  request.method = "GET";
  request.target = "/chat";
  request.path = "/chat";
  request.headers = {
      {"Host", "server.example.com"},   {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Origin", "http://example.com"}, {"Sec-WebSocket-Protocol", "chat, superchat"},
      {"Sec-WebSocket-Version", "13"},
  };
  return request;
}

HttpRequest with(const std::string& name, const std::string& value) {
  HttpRequest request = goodRequest();
  for (HttpHeader& field : request.headers) {
    if (field.name == name) field.value = value;
  }
  return request;
}

HttpRequest without(const std::string& name) {
  HttpRequest request = goodRequest();
  std::erase_if(request.headers, [&](const HttpHeader& field) { return field.name == name; });
  return request;
}

HttpRequest withAnother(const std::string& name, const std::string& value) {
  HttpRequest request = goodRequest();
  request.headers.push_back({name, value});
  return request;
}

int status(const HttpRequest& request) { return judgeUpgrade(request).status; }

TEST(AcceptKey, MatchesTheRfc) {
  EXPECT_EQ(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Upgrade, OfTheRfcIsAccepted) { EXPECT_EQ(status(goodRequest()), 101); }

TEST(Upgrade, OfRealBrowsersIsAccepted) {
  EXPECT_EQ(status(with("Connection", "keep-alive, upgrade")), 101);
  EXPECT_EQ(status(with("Upgrade", "WebSocket")), 101);
  EXPECT_EQ(status(with("Upgrade", "h2c, websocket")), 101);
  EXPECT_EQ(status(without("Origin")), 101);
  EXPECT_EQ(status(without("Sec-WebSocket-Protocol")), 101);
}

TEST(Upgrade, MustBeAGet) {
  for (const char* method : {"POST", "HEAD", "get", "OPTIONS"}) {
    HttpRequest request = goodRequest();
    request.method = method;
    EXPECT_EQ(status(request), 405) << method;
  }
}

TEST(Upgrade, APlainRequestGets426) {
  EXPECT_EQ(status(without("Upgrade")), 426);
  EXPECT_EQ(status(with("Upgrade", "h2c")), 426);
  EXPECT_EQ(status(with("Upgrade", "websockets")), 426);
}

TEST(Upgrade, MustBeOfVersion13) {
  for (const char* version : {"8", "14", "0", "", "013", "13, 8"}) {
    EXPECT_EQ(status(with("Sec-WebSocket-Version", version)), 426) << version;
  }
  EXPECT_EQ(status(without("Sec-WebSocket-Version")), 426);
  EXPECT_EQ(status(withAnother("Sec-WebSocket-Version", "13")), 400);
}

TEST(Upgrade, NeedsHttp11) {
  HttpRequest request = goodRequest();
  request.versionMinor = 0;
  EXPECT_EQ(status(request), 400);
}

TEST(Upgrade, NeedsOneHost) {
  EXPECT_EQ(status(without("Host")), 400);
  EXPECT_EQ(status(with("Host", "")), 400);
  EXPECT_EQ(status(withAnother("Host", "other.example.com")), 400);
}

TEST(Upgrade, NeedsAConnectionThatNamesIt) {
  EXPECT_EQ(status(without("Connection")), 400);
  EXPECT_EQ(status(with("Connection", "keep-alive")), 400);
}

TEST(Upgrade, NeedsAKeyOf16Bytes) {
  EXPECT_EQ(status(without("Sec-WebSocket-Key")), 400);
  for (const char* key : {
           "", "==",
           "dGhlIHNhbXBsZSBub2==",          // 13
           "dGhlIHNhbXBsZSBub25jZTExMQ==",  // 19
           "dGhlIHNhbXBsZSBub25jZQ",        // no padding
           "dGhlIHNhbXBsZSBub25jZQ=",       //
           "dGhlIHNhbXBsZSBub25jZTE=",      // 17 bytes
           "dGhlIHNhbXBsZSBub25j",          // 15
           "dGhlIHNhbXBsZSBub25jZTEy",      // 18
           "dGhlIHNhbXBsZSBub25j=Q==",      // padding inside
           "dGhlIHNhbXBs-SBub25jZQ==",      // another alphabet
           "dGhlIHNhbXBsZSBub25jZQ== ",  // the parser trims values: this space is part of the key
       }) {
    EXPECT_EQ(status(with("Sec-WebSocket-Key", key)), 400) << key;
  }
  EXPECT_EQ(status(withAnother("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")), 400);
  EXPECT_EQ(status(with("Sec-WebSocket-Key", "+/+/AAAAzz9999999999Zg==")), 101);
}

TEST(Upgrade, ARefusalStatesItsReason) {
  EXPECT_STRNE(judgeUpgrade(without("Host")).reason, "");
  EXPECT_STRNE(judgeUpgrade(without("Upgrade")).reason, "");
}

TEST(Subprotocol, IsTheFirstOfferThatIsSupported) {
  EXPECT_EQ(chooseSubprotocol(goodRequest(), {"superchat", "chat"}), "chat");
  EXPECT_EQ(chooseSubprotocol(goodRequest(), {"superchat"}), "superchat");
  EXPECT_EQ(chooseSubprotocol(goodRequest(), {"other", "Chat", "super"}), "");
  EXPECT_EQ(chooseSubprotocol(goodRequest(), {}), "");
  EXPECT_EQ(chooseSubprotocol(without("Sec-WebSocket-Protocol"), {"chat"}), "");
}

TEST(Subprotocol, IsFoundInRepeatedHeadersToo) {
  EXPECT_EQ(chooseSubprotocol(withAnother("sec-websocket-protocol", "x ,third"), {"third"}),
            "third");
  EXPECT_EQ(chooseSubprotocol(with("Sec-WebSocket-Protocol", ",,"), {""}), "");
}

TEST(UpgradeResponse, MatchesTheRfc) {
  EXPECT_EQ(upgradeResponse("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "chat"),
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: chat\r\n"
            "\r\n");
}

TEST(UpgradeResponse, HasNoSubprotocolIfNoneWasChosen) {
  EXPECT_EQ(upgradeResponse("key", "").find("Sec-WebSocket-Protocol"), std::string::npos);
  EXPECT_TRUE(upgradeResponse("key", "").ends_with("Sec-WebSocket-Accept: key\r\n\r\n"));
}

}  // namespace
}  // namespace stormo::websocket
