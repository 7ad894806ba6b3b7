#include <stormo/connection.h>

#include "net/connection_impl.h"
#include "net/reactor.h"
#include "sys/sockets.h"

namespace stormo {

void net::ConnectionImpl::append(std::string_view encoded) {
  reactor.output.ownBatch(*this).append(encoded, reactor.output.order());
}

using net::ConnectionImpl;

ConnectionId Connection::id() const { return ConnectionImpl::of(*this).id.packed(); }

bool Connection::isOpen() const {
  const ConnectionImpl& connection = ConnectionImpl::of(*this);
  return connection.phase == net::Phase::Open && connection.endpoint->codec->hasMessages();
}

SendStatus Connection::send(Message message) {
  ConnectionImpl& connection = ConnectionImpl::of(*this);
  return connection.reactor.output.send(connection, message);
}

void Connection::close(CloseCode code, std::string_view reason) {
  ConnectionImpl& connection = ConnectionImpl::of(*this);
  connection.reactor.connections.close(connection, code, reason);
}

void Connection::destroy() {
  ConnectionImpl& connection = ConnectionImpl::of(*this);
  connection.reactor.connections.destroy(connection);
}

void Connection::pauseRecv() {
  ConnectionImpl& connection = ConnectionImpl::of(*this);
  connection.reactor.input.pause(connection);
}

void Connection::resumeRecv() {
  ConnectionImpl& connection = ConnectionImpl::of(*this);
  connection.reactor.input.resume(connection);
}

std::string Connection::remoteAddress() const {
  return ConnectionImpl::of(*this).remote.get().text();
}
std::string Connection::remoteIp() const { return ConnectionImpl::of(*this).remote.get().host(); }
std::uint16_t Connection::remotePort() const {
  return ConnectionImpl::of(*this).remote.get().port();
}
std::string Connection::localAddress() const {
  return stormo::localAddress(ConnectionImpl::of(*this).fd.get()).text();
}

std::string Connection::peerAddress() const {
  return stormo::peerAddress(ConnectionImpl::of(*this).fd.get()).text();
}

std::uint64_t Connection::bytesRead() const { return ConnectionImpl::of(*this).in.bytesRead; }
std::uint64_t Connection::bytesWritten() const {
  return ConnectionImpl::of(*this).out.bytesWritten;
}

std::uint64_t Connection::sendQueueBytes() const {
  const ConnectionImpl& connection = ConnectionImpl::of(*this);
  return connection.out.queuedBytes() + connection.out.ownBytes();
}

CloseCode Connection::closeCode() const { return ConnectionImpl::of(*this).closeCode; }

std::string_view Connection::closeReason() const {
  const auto& reason = ConnectionImpl::of(*this).closeReason;
  return reason == nullptr ? std::string_view() : *reason;
}

}  // namespace stormo
