#include "net/keepalive.h"

#include <cerrno>

#include "net/codec/codec_session.h"

namespace stormo::net {
namespace {

// Given to a connection whose time is over, to read what waits in its socket.
constexpr std::chrono::milliseconds kUnreadGrace{100};

}  // namespace

void Keepalive::setDeadline(ConnectionImpl& connection, TimePoint deadline) {
  connection.deadline = deadline;
  deadlines_.set(connection, deadline);
}

/// There is an entry since the handshake, which is not cleared: see watchForSilence(). One that
/// comes too early is set again.
void Keepalive::moveDeadline(ConnectionImpl& connection, TimePoint deadline) {
  if (deadline < connection.deadline || !deadlines_.isSet(connection)) {
    return setDeadline(connection, deadline);
  }
  connection.deadline = deadline;
}

void Keepalive::onDeadline(ConnectionImpl& connection) {
  const bool isCodecs = connection.endpoint->codec->keepsDeadlines();
  if (connection.phase == Phase::Open && !connection.awaitsPong && !isCodecs) {
    return watchForSilence(connection);
  }
  if (reactor_.loop().now < connection.deadline) {  // beyond the wheel's horizon
    return setDeadline(connection, connection.deadline);
  }
  switch (connection.phase) {
    case Phase::Connecting:
      return onConnectTimeout(connection);
    case Phase::ProxyHeader:
    case Phase::TlsHandshake:
    case Phase::Handshake:
      return onHandshakeTimeout(connection);
    case Phase::Open:
      return isCodecs ? onCodecDeadline(connection) : onPongTimeout(connection);
    case Phase::AwaitingClose:
    case Phase::Closing:
    case Phase::PeerEnded:
    case Phase::Lingering:
      // Even if it still sends bytes, which are dropped: else it could stay as long as it sends.
      return reactor_.connections.die(connection);
    case Phase::Dead:
      return;
  }
}

void Keepalive::onConnectTimeout(ConnectionImpl& connection) {
  if (connection.isReadyFor(POLLOUT)) {
    return setDeadline(connection, reactor_.loop().now + kUnreadGrace);
  }
  reactor_.connections.fail(connection, ETIMEDOUT, "connect");
}

void Keepalive::onHandshakeTimeout(ConnectionImpl& connection) {
  if (!connection.in.isHeld() && connection.hasUnreadInput()) {
    return setDeadline(connection, reactor_.loop().now + kUnreadGrace);
  }
  if (connection.phase == Phase::ProxyHeader) {
    return reactor_.connections.refuseProxy(connection, "no PROXY header in time");
  }
  reactor_.counters().badPeers.add();
  if (connection.phase == Phase::TlsHandshake) {
    return reactor_.connections.fail(connection, ETIMEDOUT, "TLS");
  }
  CodecSession session(connection);
  connection.endpoint->codec->onHandshakeTimeout(session);
  reactor_.connections.closeQuietly(connection, CloseCode::Abnormal);
}

void Keepalive::onPongTimeout(ConnectionImpl& connection) {
  const bool wasSilent =
      connection.in.lastReceived + connection.endpoint->pongTimeout < connection.deadline;
  // A connection that is paused, or waits for room, is not read, so its silence means nothing.
  if (!connection.in.isHeld() && wasSilent && !connection.hasUnreadInput()) {
    return reactor_.connections.fail(connection, ETIMEDOUT, "pong");
  }
  connection.awaitsPong = false;
  watchForSilence(connection);
}

void Keepalive::onCodecDeadline(ConnectionImpl& connection) {
  if (!connection.in.isHeld() && connection.hasUnreadInput()) {
    return setDeadline(connection, reactor_.loop().now + kUnreadGrace);
  }
  CodecSession session(connection);
  connection.endpoint->codec->onDeadline(session);
}

void Keepalive::watchForSilence(ConnectionImpl& connection) {
  const Endpoint& endpoint = *connection.endpoint;
  if (endpoint.codec->keepsDeadlines()) return;
  if (endpoint.pingInterval == endpoint.pingInterval.zero()) return clear(connection);
  const TimePoint now = reactor_.loop().now;
  const TimePoint pingAt = connection.in.lastReceived + endpoint.pingInterval;
  if (now < pingAt) return setDeadline(connection, pingAt);
  CodecSession session(connection);
  if (!endpoint.codec->ping(session)) return;
  connection.awaitsPong = true;
  setDeadline(connection, now + endpoint.pongTimeout);
}

}  // namespace stormo::net
