#pragma once

#include <optional>
#include <string>

#include "access/signing_key.h"
#include "server/v1_fixture.h"

namespace stormo::server {

inline const std::string kSecret(32, 's');

inline std::string token(const std::string& claims, const std::string& secret = kSecret) {
  return access::compactToken(R"({"alg":"HS256"})", claims, [&](const std::string& text) {
    return access::hmac(access::Algorithm::HS256, secret, text);
  });
}

/// Clients of both protocols, with and without tokens, on a server with a key.
class AccessTest : public V1ClientsTest {
 protected:
  AccessTest() { settings.options.access.keys = {{.secret = kSecret}}; }

  /// A client that has sent its request, with that text as its query.
  Client request(const std::string& query, bool speaksV1 = true) {
    Client made{test::WebSocketClient(test::RawPeer::connect(workers[0]->port())), {}};
    made.socket.sendHandshake("/?" + query,
                              speaksV1 ? "Sec-WebSocket-Protocol: stormo.v1\r\n" : "");
    EXPECT_TRUE(turnUntil([&] { return made.socket.answered(); }));
    EXPECT_TRUE(made.socket.isOpen());
    return made;
  }
  Client withToken(const std::string& claims, bool speaksV1 = true) {
    return request("token=" + token(claims), speaksV1);
  }
  /// After it everything that the client has sent was handled, and what it received is in
  /// `received`.
  void sync(Client& client) {
    client.send("ping");
    EXPECT_TRUE(
        turnUntil([&] { return !client.all().empty() && client.received.back() == "pong"; }));
    client.received.pop_back();
  }
  /// The code and the reason of the close frame, which is awaited.
  std::string closed(Client& client) {
    std::optional<test::WebSocketClient::Frame> frame;
    EXPECT_TRUE(turnUntil([&] {
      frame = client.socket.next();
      return frame && frame->opcode == websocket::Opcode::Close;
    }));
    return std::to_string(static_cast<int>(test::WebSocketClient::closeCode(*frame))) + ' ' +
           test::WebSocketClient::closeReason(*frame);
  }
};

}  // namespace stormo::server
