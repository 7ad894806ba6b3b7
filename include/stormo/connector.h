#pragma once

#include <stormo/connection.h>
#include <stormo/protocol.h>
#include <stormo/result.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace stormo {

/// One outgoing connection, made again when it is lost. Belongs to the loop of the thread that made
/// it; destroying it, which none of its own handlers may do, closes the connection and calls
/// nothing any more.
///
///     Connector connector("frame://127.0.0.1:2206");
///     connector.onMessage = [](Connection& connection, Message message) { … };
///     connector.connect();
class Connector {
 public:
  /// `url`: `frame://host:port`, `text://…`, `tcp://…` or `unix:///path`, the last with its
  /// protocol beside it (default: tcp). Throws std::invalid_argument if it is none of these.
  explicit Connector(std::string url, std::optional<Protocol> protocol = {});
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Starts to connect; no-op while connecting, connected, or waiting to try again. A host name is
  /// looked up in another thread, at each attempt, and its addresses are tried one after the other.
  /// Failures reach onError; then it tries again, as `reconnect` says.
  void connect();
  /// Flushes and closes, and does not connect again until connect().
  void close();

  /// Null while there is none. Valid until the handler returns.
  [[nodiscard]] Connection* connection() const;

  /// Waits between two attempts; doubled after each failure, up to `reconnectMax`. Zero: never
  /// again.
  std::chrono::milliseconds reconnect{1000};
  std::chrono::milliseconds reconnectMax{30'000};

  // Settings and handlers as of Worker. Set before connect().
  std::optional<std::size_t> maxPackageSize;  ///< Bytes. Unset: the protocol's.
  std::size_t maxSendBufferSize = 1 << 20;    ///< Bytes.
  std::chrono::milliseconds connectTimeout{10'000};

  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&, Message)> onMessage;
  std::function<void(Connection&)> onClose;  ///< Not called for an attempt that failed; onError is.
  std::function<void(const Error&)> onError;
  std::function<void(Connection&)> onBufferFull;
  std::function<void(Connection&)> onBufferDrain;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
