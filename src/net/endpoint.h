#pragma once

#include <stormo/connection.h>
#include <stormo/result.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace stormo::net {

class Admission;
class Codec;
struct InputRates;
class ProxyPeers;
class TlsContext;

/// Receive the events of a connection. All may be empty.
struct ConnectionHandlers {
  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&, Message)> onMessage;
  std::function<void(Connection&)> onClose;
  std::function<void(Connection&, const Error&)> onError;
  std::function<void(Connection&)> onBufferFull;
  std::function<void(Connection&)> onBufferDrain;
};

/// The settings that all connections of one listener, or the one of a connector, share. Outlives
/// its connections.
struct Endpoint {
  const Codec* codec = nullptr;
  /// Serves the same address with another codec: connections are passed on between WebSocket and
  /// plain HTTP. Null: none.
  const Endpoint* other = nullptr;
  /// Connections speak TLS from now on, but for those of unix sockets. Null: none does.
  std::shared_ptr<const TlsContext> tls = nullptr;
  /// Outgoing connections with TLS: what the server's certificate must be valid for.
  std::string tlsHost = {};
  ConnectionHandlers handlers;

  /// Maximum size of one received message, in bytes. A larger one closes the connection.
  std::uint64_t packageBytesMax = 10 << 20;
  /// Maximum bytes queued for one connection. Above it send() returns SendStatus::Full.
  std::uint64_t sendQueueBytesMax = 1 << 20;
  /// About how many bytes the kernel takes beyond the peer's window, on an accepted TCP connection,
  /// in addition to sendQueueBytesMax. Zero: the system's default, up to some MiB.
  std::size_t kernelUnsentBytesMax = 128 << 10;

  /// The reverse proxies that state their clients' addresses. Null: none.
  ProxyPeers* proxies = nullptr;
  /// Limits of the number of accepted connections. Null: none.
  Admission* admission = nullptr;
  /// Limits of what one connection sends. Null: none.
  const InputRates* inputRates = nullptr;

  std::chrono::milliseconds handshakeTimeout{10'000};
  /// For each part of a message, of IncompleteMessages::kPartBytes. Zero: no time-out.
  std::chrono::milliseconds messageTimeout{30'000};
  /// Maximum bytes held of messages that are not whole yet, of all connections of the loop that do
  /// not carryMany. Above it, the connections that hold the most for the longest time are closed.
  std::size_t incompleteBytesMax = 128 << 20;
  /// Idle time before a ping. Zero: no pings, but TCP keep-alive.
  std::chrono::milliseconds pingInterval{0};
  std::chrono::milliseconds pongTimeout{20'000};
  /// An accepted TCP connection fails after this time without an acknowledgement of what was sent,
  /// or with a window that stays closed. Zero: the system's default, about 15 minutes.
  std::chrono::milliseconds unacknowledgedTimeout{60'000};
  std::chrono::milliseconds closeTimeout{5'000};  ///< For output to leave and the peer to close.

  /// Called before more is read of a connection that has spent its share of a turn: false leaves it
  /// unread until a later turn. Empty: always true.
  std::function<bool()> hasRoom;

  /// The input is the messages of many clients: the connection's share of a turn is larger, and its
  /// incomplete messages are not limited.
  bool carriesMany = false;
  /// The output is flushed first in a turn. Not for members of groups: it would overtake theirs.
  bool isLink = false;
  /// Close a connection whose queue exceeds sendQueueBytesMax and still grows while the kernel
  /// refuses its output. If false, the sender must handle onBufferFull.
  bool cutWhenFull = true;
};

}  // namespace stormo::net
