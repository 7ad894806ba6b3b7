#pragma once

#include <stormo/connection.h>
#include <stormo/protocol.h>
#include <stormo/result.h>
#include <stormo/tls.h>
#include <stormo/websocket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace stormo {

/// One outgoing connection, which reconnects when it is lost. It uses the loop of the thread that
/// made it, and only that thread may use it. Destroying it closes the connection and calls no
/// handler; its own handlers must not destroy it.
///
///     Connector connector("ws://127.0.0.1:1234/chat?room=1");
///     connector.onMessage = [](Connection& connection, Message message) { … };
///     connector.connect();
class Connector {
 public:
  /// `url` is `ws://host[:port][/path][?query]` for WebSocket, `frame://host:port`, `text://…`,
  /// `tcp://…`, or with TLS `wss://…`, `frames://…`, `texts://…`, `tcps://…`; or `unix:///path`
  /// with its `protocol` (default: tcp; WebSocket asks for the path "/"). The path and the query
  /// are sent as they are: percent-encode them. Throws std::invalid_argument for any other URL.
  explicit Connector(std::string url, std::optional<Protocol> protocol = {});
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Starts to connect. Does nothing while it is connecting, connected, or waiting to try again. A
  /// host name is looked up in another thread at each attempt, and its addresses are tried one
  /// after the other. A failure is reported to onError; then `reconnect` decides about the next
  /// attempt. WebSocket: the server's refusal of the handshake is a failure, too, with an Error of
  /// webSocketHandshakeCategory(). Throws std::invalid_argument if `websocket` has a header or a
  /// subprotocol that cannot be sent, and if a file of `tls` cannot be used.
  void connect();
  /// Flushes and closes. Does not connect again until connect().
  void close();

  /// The connection, or null while there is none. The pointer is valid until the handler returns.
  /// What it sends while it is not connected yet leaves after that.
  [[nodiscard]] Connection* connection() const;

  /// WebSocket: the subprotocol that the server has chosen for the latest connection, from
  /// onConnect on. Empty if it chose none.
  [[nodiscard]] const std::string& subprotocol() const;

  /// The wait before the next attempt. It doubles after each failure, up to `reconnectMax`. Zero:
  /// no further attempt.
  std::chrono::milliseconds reconnect{1000};
  std::chrono::milliseconds reconnectMax{30'000};

  // Settings and handlers, as those of Worker. Set them before connect().
  std::optional<std::size_t> maxPackageSize;  ///< Bytes. Unset: the protocol's maximum.
  std::size_t maxSendBufferSize = 1 << 20;    ///< Bytes.
  /// For an attempt with one address, the handshake of WebSocket included.
  std::chrono::milliseconds connectTimeout{10'000};
  TlsClient tls;  ///< For a URL with TLS.
  WebSocketClientOptions websocket;
  /// WebSocket: idle time before a ping (0: no pings), and how long to wait for a response. Without
  /// pings, and with other protocols, TCP keep-alive finds an unreachable peer.
  std::chrono::milliseconds pingInterval{30'000};
  std::chrono::milliseconds pongTimeout{20'000};

  std::function<void(Connection&)> onConnect;  ///< WebSocket: the server has accepted.
  std::function<void(Connection&, Message)> onMessage;
  /// Not called for a failed attempt; onError is. Connection::closeCode() and closeReason() state
  /// the reason.
  std::function<void(Connection&)> onClose;
  std::function<void(const Error&)> onError;
  std::function<void(Connection&)> onBufferFull;
  std::function<void(Connection&)> onBufferDrain;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
