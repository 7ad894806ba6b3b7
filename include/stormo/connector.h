#pragma once

#include <stormo/connection.h>
#include <stormo/protocol.h>
#include <stormo/result.h>
#include <stormo/tls.h>

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
///     Connector connector("frame://127.0.0.1:2206");
///     connector.onMessage = [](Connection& connection, Message message) { … };
///     connector.connect();
class Connector {
 public:
  /// `url` is `frame://host:port`, `text://…`, `tcp://…`, or with TLS `frames://…`, `texts://…`,
  /// `tcps://…`; or `unix:///path` with its `protocol` (default: tcp). Throws std::invalid_argument
  /// for any other URL.
  explicit Connector(std::string url, std::optional<Protocol> protocol = {});
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Starts to connect. Does nothing while it is connecting, connected, or waiting to try again. A
  /// host name is looked up in another thread at each attempt, and its addresses are tried one
  /// after the other. A failure is reported to onError; then `reconnect` decides about the next
  /// attempt. Throws std::invalid_argument if a file of `tls` cannot be used.
  void connect();
  /// Flushes and closes. Does not connect again until connect().
  void close();

  /// The connection, or null while there is none. The pointer is valid until the handler returns.
  [[nodiscard]] Connection* connection() const;

  /// The wait before the next attempt. It doubles after each failure, up to `reconnectMax`. Zero:
  /// no further attempt.
  std::chrono::milliseconds reconnect{1000};
  std::chrono::milliseconds reconnectMax{30'000};

  // Settings and handlers, as those of Worker. Set them before connect().
  std::optional<std::size_t> maxPackageSize;  ///< Bytes. Unset: the protocol's maximum.
  std::size_t maxSendBufferSize = 1 << 20;    ///< Bytes.
  std::chrono::milliseconds connectTimeout{10'000};
  TlsClient tls;  ///< For a URL with TLS.

  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&, Message)> onMessage;
  std::function<void(Connection&)> onClose;  ///< Not called for a failed attempt; onError is.
  std::function<void(const Error&)> onError;
  std::function<void(Connection&)> onBufferFull;
  std::function<void(Connection&)> onBufferDrain;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
