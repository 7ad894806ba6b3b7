#pragma once

#include <cstddef>

namespace stormo {

/// One limit. In a dry run what exceeds it is only counted, and nothing is refused: `status` shows
/// what the limit would do before it does it.
struct Limit {
  std::size_t max = 0;  ///< 0: no limit.
  bool dryRun = false;
};

/// What happens to a client that exceeds a rate of messages or bytes, or whose user does.
enum class OverRate {
  Wait,   ///< It is not read until it is within the rate: TCP slows it down, and nothing is lost.
  Close,  ///< WebSocket: it is closed with 1008. Other protocols: its connection ends.
};

/// What the clients of one Worker may use. A limit concerns accepted connections only, and refuses
/// only the one that exceeds it; `status` counts for each limit what it has refused.
///
/// The address of a client is the one that a trusted proxy states (see ProxyOptions). A client of a
/// unix socket has none.
struct Limits {
  /// Open connections of all processes together. One more is answered with 503 (WebSocket), or
  /// disconnected (other protocols, and where too many wait for their answer).
  Limit connections = {};
  /// The same for one client address: an IPv4 address, or the first 64 bits of an IPv6 address.
  /// Answered with 429. Trusted proxies are exempt. Behind a proxy that sets a header a client is
  /// counted when its request has arrived.
  Limit connectionsPerAddress = {};
  /// The same for one user: see Worker::admitUser(). A GroupServer closes one more with 4429.
  Limit connectionsPerUser = {};
  /// New connections of all processes together, with bursts of a second's number. Answered with
  /// 429.
  Limit connectionsPerSecond = {};
  /// Connections whose opening handshake is not done, TLS and the header of a proxy included. Each
  /// process has an equal share. Above it, the oldest one is answered with 503, so clients that
  /// open without delay get through while others hold their handshakes.
  Limit handshakes{.max = 10'000};

  /// Messages that one connection may send per second on average, and bytes as they arrive. A
  /// client that has sent less may send up to a second's number at once.
  Limit messagesPerSecond = {};
  Limit bytesPerSecond = {};
  /// The same for all connections of one user to one process together.
  Limit messagesPerSecondPerUser = {};
  Limit bytesPerSecondPerUser = {};
  OverRate overRate = OverRate::Wait;

  /// Bytes of memory that the output of all connections of one process holds. Above seven eighths
  /// of it, the connections with the longest queues are closed (WebSocket: 1013), and above it they
  /// are destroyed.
  Limit outputBytes{.max = std::size_t{1} << 30};
};

}  // namespace stormo
