#include <stormo/connection.h>

#include "net/connection_table.h"
#include "net/peer.h"
#include "sys/sockets.h"

namespace stormo {

using net::Peer;

ConnectionId Connection::id() const { return Peer::of(*this).id.packed(); }

SendStatus Connection::send(Message message) {
  Peer& peer = Peer::of(*this);
  return peer.table.send(peer, message);
}

void Connection::close(CloseCode code, std::string_view reason) {
  Peer& peer = Peer::of(*this);
  peer.table.close(peer, code, reason);
}

void Connection::destroy() {
  Peer& peer = Peer::of(*this);
  peer.table.destroy(peer);
}

void Connection::pauseRecv() {
  Peer& peer = Peer::of(*this);
  peer.table.pauseReceiving(peer);
}

void Connection::resumeRecv() {
  Peer& peer = Peer::of(*this);
  peer.table.resumeReceiving(peer);
}

std::string Connection::remoteAddress() const { return Peer::of(*this).remote.get().text(); }
std::string Connection::remoteIp() const { return Peer::of(*this).remote.get().host(); }
std::uint16_t Connection::remotePort() const { return Peer::of(*this).remote.get().port(); }
std::string Connection::localAddress() const {
  return stormo::localAddress(Peer::of(*this).fd.get()).text();
}

std::uint64_t Connection::bytesRead() const { return Peer::of(*this).bytesRead; }
std::uint64_t Connection::bytesWritten() const { return Peer::of(*this).bytesWritten; }

std::uint64_t Connection::sendQueueBytes() const {
  const Peer& peer = Peer::of(*this);
  return peer.queuedBytes() + (peer.own == nullptr ? 0 : peer.own->size());
}

CloseCode Connection::closeCode() const { return Peer::of(*this).closeCode; }

}  // namespace stormo
