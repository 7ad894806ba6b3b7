#include <stormo/connection.h>

#include "net/connection_impl.h"
#include "net/connection_table.h"
#include "sys/sockets.h"

namespace stormo {

using net::ConnectionImpl;

ConnectionId Connection::id() const { return ConnectionImpl::of(*this).id.packed(); }

SendStatus Connection::send(Message message) {
  ConnectionImpl& peer = ConnectionImpl::of(*this);
  return peer.table.send(peer, message);
}

void Connection::close(CloseCode code, std::string_view reason) {
  ConnectionImpl& peer = ConnectionImpl::of(*this);
  peer.table.close(peer, code, reason);
}

void Connection::destroy() {
  ConnectionImpl& peer = ConnectionImpl::of(*this);
  peer.table.destroy(peer);
}

void Connection::pauseRecv() {
  ConnectionImpl& peer = ConnectionImpl::of(*this);
  peer.table.pauseReceiving(peer);
}

void Connection::resumeRecv() {
  ConnectionImpl& peer = ConnectionImpl::of(*this);
  peer.table.resumeReceiving(peer);
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

std::uint64_t Connection::bytesRead() const { return ConnectionImpl::of(*this).bytesRead; }
std::uint64_t Connection::bytesWritten() const { return ConnectionImpl::of(*this).bytesWritten; }

std::uint64_t Connection::sendQueueBytes() const {
  const ConnectionImpl& peer = ConnectionImpl::of(*this);
  return peer.queuedBytes() + (peer.own == nullptr ? 0 : peer.own->size());
}

CloseCode Connection::closeCode() const { return ConnectionImpl::of(*this).closeCode; }

std::string_view Connection::closeReason() const {
  const auto& reason = ConnectionImpl::of(*this).closeReason;
  return reason == nullptr ? std::string_view() : *reason;
}

}  // namespace stormo
