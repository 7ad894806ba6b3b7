#include "support/raw_peer.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace stormo::test {
namespace {

void demand(bool happened, const char* step) {
  if (!happened) throw std::runtime_error(step);
}

UniqueFd tcpSocket(int flags) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  demand(fd.valid(), "socket");
  return fd;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

RawPeer RawPeer::connect(std::uint16_t port) {
  UniqueFd fd = tcpSocket(0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return {};
  }
  return RawPeer(std::move(fd));
}

std::size_t RawPeer::send(std::string_view bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const ssize_t sent =
        ::send(fd_.get(), bytes.data() + total, bytes.size() - total, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) break;
    total += static_cast<std::size_t>(sent);
  }
  return total;
}

bool RawPeer::receive(std::size_t bytesMax) {
  bool anything = false;
  char buffer[16 << 10];
  while (fd_.valid() && !ended_ && bytesMax > 0) {
    const ssize_t count =
        ::recv(fd_.get(), buffer, std::min(sizeof buffer, bytesMax), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    anything = true;
    if (count <= 0) {
      ended_ = true;
      reset_ = count < 0;
      break;
    }
    received_.append(buffer, static_cast<std::size_t>(count));
    bytesMax -= static_cast<std::size_t>(count);
  }
  return anything;
}

void RawPeer::endOutput() { ::shutdown(fd_.get(), SHUT_WR); }

void RawPeer::reset() {
  const linger atOnce{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
  fd_.reset();
}

SocketPair unixPair() {
  int ends[2];
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
         "socketpair");
  return {UniqueFd(ends[0]), RawPeer(UniqueFd(ends[1]))};
}

SocketPair tcpPair() {
  const UniqueFd listener = tcpSocket(0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  demand(::bind(listener.get(), raw, size) == 0, "bind");
  demand(::listen(listener.get(), 1) == 0, "listen");
  demand(::getsockname(listener.get(), raw, &size) == 0, "getsockname");
  RawPeer peer = RawPeer::connect(ntohs(address.sin_port));
  demand(peer.valid(), "connect");
  UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  demand(accepted.valid(), "accept");
  return {std::move(accepted), std::move(peer)};
}

void shrinkSendBuffer(int fd) {
  const int bytes = 4096;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

}  // namespace stormo::test
