#pragma once

#include "net/connection_deadlines.h"
#include "net/connection_impl.h"

namespace stormo::net {

/// The deadlines of connections: of connecting, the handshake, silence, the pong and the closing.
/// Each connection has one at a time. Receiving a message moves none: a deadline that comes up is
/// compared with what has happened since.
class Keepalive {
 public:
  Keepalive(Reactor& reactor, TimePoint now)
      : reactor_(reactor),
        deadlines_(reactor, now, [this](ConnectionImpl& connection) { onDeadline(connection); }) {}

  /// Replaces the deadline of the connection. What happens then depends on its phase.
  void setDeadline(ConnectionImpl& connection, TimePoint deadline);
  /// The same for an open connection of a codec that keepsDeadlines(): costs nothing if the
  /// deadline only becomes later.
  void moveDeadline(ConnectionImpl& connection, TimePoint deadline);
  void clear(const ConnectionImpl& connection) { deadlines_.clear(connection); }
  /// For an open connection: pings it after Endpoint::pingInterval of silence, or sets the deadline
  /// at which that is due.
  void watchForSilence(ConnectionImpl& connection);

 private:
  void onDeadline(ConnectionImpl& connection);
  void onConnectTimeout(ConnectionImpl& connection);
  void onHandshakeTimeout(ConnectionImpl& connection);
  void onPongTimeout(ConnectionImpl& connection);
  void onCodecDeadline(ConnectionImpl& connection);

  Reactor& reactor_;
  ConnectionDeadlines deadlines_;
};

}  // namespace stormo::net
