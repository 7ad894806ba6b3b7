#include "integration/harness/tcp_peer.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace stormo::integration {

TcpPeer::TcpPeer(const Deadline& deadline, std::uint16_t port)
    : TcpPeer(deadline, Address::ip("127.0.0.1", port).value()) {}

TcpPeer::TcpPeer(const Deadline& deadline, const Address& address)
    : deadline_(deadline), fd_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (::connect(fd_.get(), address.raw(), address.size()) < 0) {
    throw std::runtime_error("cannot connect to " + address.text());
  }
}

void TcpPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{fd_.get(), POLLOUT, 0};
    ::poll(&ready, 1, deadline_.pollMilliseconds());
    deadline_.check("a peer to read");
    const ssize_t size = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) throw std::runtime_error("the connection broke while sending");
    if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool TcpPeer::readMore(const char* what) {
  pollfd ready{fd_.get(), POLLIN, 0};
  ::poll(&ready, 1, deadline_.pollMilliseconds());
  deadline_.check(what);
  char bytes[65536];
  const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

std::string TcpPeer::readThrough(std::string_view end) {
  std::size_t found = 0;
  while ((found = buffer_.find(end)) == std::string::npos) {
    if (!readMore("more of a peer's text"))
      throw std::runtime_error("the stream ended early: " + buffer_);
  }
  return readExactly(found + end.size());
}

std::string TcpPeer::readExactly(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!readMore("more of a peer's bytes"))
      throw std::runtime_error("the stream ended early: " + buffer_);
  }
  std::string taken = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return taken;
}

std::string TcpPeer::readToEnd() {
  while (readMore("the end of a peer's stream")) continue;
  return std::move(buffer_);
}

std::string httpExchange(const Deadline& deadline, std::uint16_t port, std::string_view request) {
  TcpPeer peer(deadline, port);
  peer.send(request);
  return peer.readToEnd();
}

}  // namespace stormo::integration
