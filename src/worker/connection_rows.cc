#include "worker/connection_rows.h"

#include "sys/sockets.h"

namespace stormo {
namespace {

const char* nameOf(net::Phase phase) {
  switch (phase) {
    case net::Phase::Connecting:
      return "CONNECTING";
    case net::Phase::ProxyHeader:
    case net::Phase::TlsHandshake:
    case net::Phase::Handshake:
      return "HANDSHAKE";
    case net::Phase::Open:
      return "ESTABLISHED";
    case net::Phase::AwaitingClose:
    case net::Phase::Closing:
    case net::Phase::PeerEnded:
    case net::Phase::Lingering:
      return "CLOSING";
    case net::Phase::Dead:
      return "CLOSED";
  }
  return "";
}

process::ConnectionRow row(const net::ConnectionImpl& peer) {
  return {.id = peer.id.packed(),
          .transport = localAddress(peer.fd.get()).isUnix() ? "unix" : "tcp",
          .protocol = std::string(peer.endpoint->codec->name()),
          .state = peer.in.isHeld() ? "PAUSED" : nameOf(peer.phase),
          .receiveQueueBytes = peer.in.stash == nullptr ? 0 : peer.in.stash->size(),
          .sendQueueBytes = peer.sendQueueBytes(),
          .bytesRead = peer.bytesRead(),
          .bytesWritten = peer.bytesWritten(),
          .localAddress = peer.localAddress(),
          .remoteAddress = peer.remoteAddress()};
}

}  // namespace

std::vector<process::ConnectionRow> connectionRows(net::ConnectionTable& table) {
  std::vector<process::ConnectionRow> rows;
  table.forEach([&](const net::ConnectionImpl& peer) { rows.push_back(row(peer)); });
  return rows;
}

}  // namespace stormo
