#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {

/// A WebSocket endpoint, and clients that have not completed their handshake. Records the opening
/// of a connection in `events`.
class HandshakeTest : public NetTest {
 protected:
  HandshakeTest() { useWebSocket({}); }

  /// Replaces the codec of the endpoint.
  void useWebSocket(WebSocketOptions options, WebSocketCodec::ConnectHandler onConnect = {}) {
    use(std::make_unique<WebSocketCodec>(std::move(options), std::move(onConnect),
                                         [this](Connection&) { events.push_back("open"); }));
  }
  test::WebSocketClient connect() {
    Connected one = accept();
    last = one.id;
    return test::WebSocketClient(std::move(one.peer));
  }
  /// Connects, sends those bytes, and returns the client when the response has arrived.
  test::WebSocketClient ask(std::string_view bytes) {
    test::WebSocketClient client = connect();
    client.raw().send(bytes);
    EXPECT_TRUE(turnUntil([&] { return client.answered(); }));
    return client;
  }

  ConnectionId last = 0;  ///< Of the latest connection.
};

}  // namespace stormo::net
