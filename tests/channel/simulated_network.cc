#include "channel/simulated_network.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "sys/sockets.h"

namespace stormo::channel {

SimulatedLink::SimulatedLink(const std::string& entrance, std::string exit)
    : entrance_(entrance),
      exit_(std::move(exit)),
      listener_(std::move(*listenOn(*Address::unixPath(entrance)))) {}

bool SimulatedLink::accept() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.valid()) return false;
  cut();
  client_ = std::move(client);
  server_ = std::move(*connectTo(*Address::unixPath(exit_)));
  return true;
}

bool SimulatedLink::move(UniqueFd& from, UniqueFd& to, std::string& inFlight, std::size_t bytes) {
  if (!from.valid()) return false;
  std::array<char, 4096> buffer;
  const ssize_t got =
      ::recv(from.get(), buffer.data(), std::min(bytes, buffer.size()), MSG_DONTWAIT);
  // The end follows the last byte.
  const bool ended = got == 0 || (got < 0 && errno != EAGAIN);
  if (got > 0) inFlight.append(buffer.data(), static_cast<std::size_t>(got));
  ssize_t sent = 0;
  if (!inFlight.empty()) {
    sent = ::send(to.get(), inFlight.data(), std::min(bytes, inFlight.size()),
                  MSG_DONTWAIT | MSG_NOSIGNAL);
    // The receiver is closed; bytes sent by the other side are still moved.
    if (sent < 0 && errno != EAGAIN) inFlight.clear();
  }
  if (sent > 0) inFlight.erase(0, static_cast<std::size_t>(sent));
  if (ended && inFlight.empty()) cut();
  return got > 0 || sent > 0;
}

bool SimulatedLink::cut() {
  const bool wasThere = client_.valid();
  client_.reset();
  server_.reset();
  up_.clear();
  down_.clear();
  return wasThere;
}

bool SimulatedLink::isUpEmpty() const { return isEmpty(client_, up_); }

bool SimulatedLink::isDownEmpty() const { return isEmpty(server_, down_); }

bool SimulatedLink::isEmpty(const UniqueFd& from, const std::string& inFlight) {
  int waiting = 0;
  return from.valid() && inFlight.empty() && ::ioctl(from.get(), FIONREAD, &waiting) == 0 &&
         waiting == 0;
}

}  // namespace stormo::channel
