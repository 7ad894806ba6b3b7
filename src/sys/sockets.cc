#include "sys/sockets.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <map>
#include <string>

namespace stormo {
namespace {

UniqueFd streamSocket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// True if certainly no process listens on the socket of that file.
bool isStale(const Address& address) {
  const UniqueFd probe = streamSocket(AF_UNIX);
  return ::connect(probe.get(), address.raw(), address.size()) < 0 && errno == ECONNREFUSED;
}

/// A socket's file outlives the socket, so a stale one is removed before bind(). With any other
/// file bind() fails and leaves it unchanged.
void removeStaleSocket(const Address& address) {
  const std::string path = address.host();
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0 || !S_ISSOCK(status.st_mode)) return;
  if (isStale(address)) ::unlink(path.c_str());
}

Result<void> setOption(int fd, int level, int option, int value, const char* step) {
  if (::setsockopt(fd, level, option, &value, sizeof value) < 0) return lastError(step);
  return {};
}

/// O_PATH descriptors of unix sockets, by path.
std::map<std::string, UniqueFd, std::less<>>& heldSockets() {
  static std::map<std::string, UniqueFd, std::less<>> held;
  return held;
}

Address connectAddress(const Address& address) {
  if (!address.isUnix()) return address;
  const auto held = heldSockets().find(address.host());
  if (held == heldSockets().end()) return address;
  return Address::unixPath("/proc/self/fd/" + std::to_string(held->second.get())).value();
}

template <typename Query>
Address queryAddress(int fd, Query query) {
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
    if (auto set = setOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"); !set)
      return set.error();
    if (options.reusePort) {
      if (auto set = setOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"); !set)
        return set.error();
    }
    if (address.family() == AF_INET6) {
      const int v6Only = options.v6Only ? 1 : 0;
      if (auto set = setOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6Only, "IPV6_V6ONLY"); !set)
        return set.error();
    }
  }
  if (::bind(fd.get(), address.raw(), address.size()) < 0) return lastError("bind");
  if (::listen(fd.get(), options.backlog) < 0) return lastError("listen");
  return fd;
}

std::string obstacleAt(const Address& unixPath) {
  struct stat status {};
  if (::lstat(unixPath.host().c_str(), &status) < 0) return {};
  switch (status.st_mode & S_IFMT) {
    case S_IFSOCK:
      return isStale(unixPath) ? "" : "a server listens there; stop it, or choose another path";
    case S_IFDIR:
      return "the path is a directory; write the path of a file in it";
    case S_IFLNK:
      return "the path is a symbolic link; remove it, or write the path that it points to";
    default:
      return "a file that is not a socket is there; remove it, or choose another path";
  }
}

Result<void> holdSocket(const Address& address) {
  UniqueFd fd(::open(address.host().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return lastError("open");
  heldSockets().insert_or_assign(address.host(), std::move(fd));
  return {};
}

std::map<std::string, int> heldSocketFds() {
  std::map<std::string, int> fds;
  for (const auto& [path, held] : heldSockets()) fds.emplace(path, held.get());
  return fds;
}

void adoptHeldSocket(const std::string& path, UniqueFd held) {
  heldSockets().insert_or_assign(path, std::move(held));
}

void releaseSocket(const Address& address) { heldSockets().erase(address.host()); }

Result<void> openHeldSocket(const Address& address) {
  const std::string path = connectAddress(address).host();
  if (::chmod(path.c_str(), 0666) < 0) return lastError("chmod");
  return {};
}

bool isHeldSocket(std::string_view path) { return heldSockets().contains(path); }

Result<UniqueFd> connectTo(const Address& address) {
  UniqueFd fd = streamSocket(address.family());
  if (!fd.valid()) return lastError("socket");
  const Address to = connectAddress(address);
  if (::connect(fd.get(), to.raw(), to.size()) < 0 && errno != EINPROGRESS) {
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

Address localAddress(int fd) { return queryAddress(fd, ::getsockname); }
Address peerAddress(int fd) { return queryAddress(fd, ::getpeername); }

void setNoDelay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void setKeepAlive(int fd) {
  struct Setting {
    int level;
    int option;
    int value;
  };
  constexpr Setting kSettings[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
                                   {IPPROTO_TCP, TCP_KEEPIDLE, 60},
                                   {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                                   {IPPROTO_TCP, TCP_KEEPCNT, 6}};
  for (const Setting& set : kSettings) {
    ::setsockopt(fd, set.level, set.option, &set.value, sizeof set.value);
  }
}

bool sharesPort(int listening) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(listening, SOL_SOCKET, SO_REUSEPORT, &value, &size) == 0 && value != 0;
}

std::size_t waitingConnections(int listening) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(listening, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    return info.tcpi_state == TCP_LISTEN ? info.tcpi_unacked : 0;
  }
  pollfd ready{.fd = listening, .events = POLLIN, .revents = 0};
  const bool waits = ::poll(&ready, 1, 0) == 1 && ready.revents == POLLIN;
  return waits ? std::numeric_limits<std::size_t>::max() : 0;
}

void setSendBuffer(int fd, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value);
}

std::size_t kernelOutputBytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void setUnsentBytesMax(int fd, std::size_t bytes) {
  const auto value = static_cast<int>(bytes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof value);
}

void setUnacknowledgedTimeout(int fd, std::chrono::milliseconds timeout) {
  const auto value = static_cast<unsigned>(timeout.count());
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
}

}  // namespace stormo
