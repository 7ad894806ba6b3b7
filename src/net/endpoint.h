#pragma once

#include <stormo/connection.h>
#include <stormo/result.h>

#include <chrono>
#include <cstdint>
#include <functional>

namespace stormo::net {

class Codec;

/// Where events of a connection go. All may be empty.
struct ConnectionHandlers {
  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&, Message)> onMessage;
  std::function<void(Connection&)> onClose;
  std::function<void(Connection&, const Error&)> onError;
  std::function<void(Connection&)> onBufferFull;
  std::function<void(Connection&)> onBufferDrain;
};

/// What all connections of one listener, or the one of a connector, have in common.
/// Outlives its connections.
struct Endpoint {
  const Codec* codec = nullptr;
  ConnectionHandlers handlers;

  std::uint64_t packageBytesMax = 10 << 20;  ///< Of one message from the peer.
  std::uint64_t sendQueueBytesMax = 1 << 20;
  /// Of an accepted TCP connection, beside sendQueueBytesMax: about what the kernel takes beyond
  /// what the peer has room for. Zero: as much as the system likes, up to some MiB.
  std::size_t kernelUnsentBytesMax = 128 << 10;

  std::chrono::milliseconds handshakeTimeout{10'000};
  /// For each part of a message, of IncompleteMessages::kPartBytes. Zero: no time-out.
  std::chrono::milliseconds messageTimeout{30'000};
  /// Of messages that are not whole yet, of all connections of the loop together, but for those
  /// that carry many. Above it, those that hold most for longest are closed.
  std::size_t incompleteBytesMax = 128 << 20;
  std::chrono::milliseconds pingInterval{0};  ///< Of silence before a ping; zero: TCP keep-alive.
  std::chrono::milliseconds pongTimeout{20'000};
  /// An accepted TCP connection fails after so long without an acknowledgement of what was sent, or
  /// with a peer whose window stays shut. Zero: as the system has it, about 15 minutes.
  std::chrono::milliseconds unacknowledgedTimeout{60'000};
  std::chrono::milliseconds closeTimeout{5'000};  ///< For output to leave and the peer to close.

  /// Asked before a connection that has sent more than its share of a turn is read on: false leaves
  /// it unread until a later turn. Empty: always true.
  std::function<bool()> hasRoom;

  /// Its input is the messages of many clients, so its share of a turn is larger than that of one,
  /// and an incomplete message is not held against it.
  bool carriesMany = false;
  /// Its output is flushed first in a turn. Not for members of groups: it would overtake theirs.
  bool isLink = false;
  /// Who has more than sendQueueBytesMax waiting, and does not take even that, is closed. Off:
  /// whoever fills its queue minds onBufferFull.
  bool cutWhenFull = true;
};

}  // namespace stormo::net
