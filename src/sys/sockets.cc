#include "sys/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cerrno>

namespace stormo {
namespace {

UniqueFd streamSocket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// A socket's file outlives the socket. It is removed only if it certainly is one behind which
/// nobody listens: a bind to anything else fails, and leaves it alone.
void removeStaleSocket(const Address& address) {
  const std::string path = address.host();
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0 || !S_ISSOCK(status.st_mode)) return;
  const UniqueFd probe = streamSocket(AF_UNIX);
  if (::connect(probe.get(), address.raw(), address.size()) < 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
}

Result<void> enable(int fd, int level, int option, const char* step) {
  const int on = 1;
  if (::setsockopt(fd, level, option, &on, sizeof on) < 0) return lastError(step);
  return {};
}

template <typename Query>
Address askAddress(int fd, Query query) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (query(fd, reinterpret_cast<sockaddr*>(&storage), &size) < 0) return {};
  return Address::fromRaw(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

Error lastError(const char* step) {
  return {std::error_code(errno, std::generic_category()), step};
}

Result<UniqueFd> listenOn(const Address& address, const ListenOptions& options) {
  UniqueFd fd = streamSocket(address.family());
  if (!fd.valid()) return lastError("socket");
  if (address.isUnix()) {
    removeStaleSocket(address);
  } else {
    if (auto set = enable(fd.get(), SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"); !set)
      return set.error();
    if (options.reusePort) {
      if (auto set = enable(fd.get(), SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT"); !set)
        return set.error();
    }
    if (address.family() == AF_INET6) {
      if (auto set = enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"); !set)
        return set.error();
    }
  }
  if (::bind(fd.get(), address.raw(), address.size()) < 0) return lastError("bind");
  if (::listen(fd.get(), options.backlog) < 0) return lastError("listen");
  return fd;
}

Result<UniqueFd> connectTo(const Address& address) {
  UniqueFd fd = streamSocket(address.family());
  if (!fd.valid()) return lastError("socket");
  if (::connect(fd.get(), address.raw(), address.size()) < 0 && errno != EINPROGRESS) {
    return lastError("connect");
  }
  return fd;
}

Result<void> connectOutcome(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0) return lastError("SO_ERROR");
  if (code != 0) return Error{std::error_code(code, std::generic_category()), "connect"};
  return {};
}

Address localAddress(int fd) { return askAddress(fd, ::getsockname); }
Address peerAddress(int fd) { return askAddress(fd, ::getpeername); }

void setNoDelay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace stormo
