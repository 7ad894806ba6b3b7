#include "process/passed_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "process/take_variable.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START

bool hasOption(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 && value != 0;
}

bool isSame(const Address& one, const Address& other) {
  if (one.family() != other.family() || one.host() != other.host()) return false;
  return one.isUnix() || one.port() == other.port();
}

bool includes(int fd, const Address& address, const Address& wanted) {
  return wanted.family() == AF_INET && wanted.host() == "0.0.0.0" && address.family() == AF_INET6 &&
         address.host() == "::" && address.port() == wanted.port() &&
         !hasOption(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

}  // namespace

PassedSockets PassedSockets::fromEnvironment() {
  PassedSockets passed;
  const std::string pid = takeVariable("LISTEN_PID").value_or("");
  const int count = std::atoi(takeVariable("LISTEN_FDS").value_or("").c_str());
  std::istringstream names(takeVariable("LISTEN_FDNAMES").value_or(""));
  if (pid != std::to_string(::getpid())) return passed;
  for (int number = kFirst; number < kFirst + count; ++number) {
    std::string name;
    std::getline(names, name, ':');
    if (::fcntl(number, F_SETFD, FD_CLOEXEC) < 0) continue;
    UniqueFd fd(number);
    if (!hasOption(number, SOL_SOCKET, SO_ACCEPTCONN)) {
      log::warning("the service manager passed a descriptor that does not listen fd={} name=\"{}\"",
                   number, name);
      continue;
    }
    ::fcntl(number, F_SETFL, ::fcntl(number, F_GETFL) | O_NONBLOCK);
    const Address address = localAddress(number);
    passed.sockets_.push_back({std::move(fd), address, std::move(name)});
  }
  return passed;
}

std::optional<UniqueFd> PassedSockets::take(const Listening& listening) {
  const Address& wanted = listening.address;
  auto found = std::ranges::find_if(
      sockets_, [&](const Socket& each) { return isSame(each.address, wanted); });
  if (found == sockets_.end()) {
    found = std::ranges::find_if(sockets_, [&](const Socket& each) {
      return includes(each.fd.get(), each.address, wanted);
    });
  }
  if (found == sockets_.end()) return std::nullopt;
  UniqueFd fd = std::move(found->fd);
  sockets_.erase(found);
  return fd;
}

void PassedSockets::reportUnused() const {
  for (const Socket& each : sockets_) {
    log::warning(
        "nothing listens on a socket that the service manager passed address={} name=\"{}\"",
        each.address.text(), each.name);
  }
}

}  // namespace stormo::process
