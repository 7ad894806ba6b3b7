#include "integration/harness/breakable_proxy.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "sys/address.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

constexpr std::size_t kWaitingMax = 256 * 1024;

Address local(std::uint16_t port) { return Address::ip("127.0.0.1", port).value(); }

}  // namespace

BreakableProxy::BreakableProxy(const std::vector<std::uint16_t>& targets)
    : targets_(targets), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    listeners_.push_back(std::move(listenOn(local(0)).value()));
    ports_.push_back(localAddress(listeners_.back().get()).port());
  }
  thread_ = std::thread([this] { run(); });
}

BreakableProxy::~BreakableProxy() {
  {
    const std::lock_guard lock(mutex_);
    isStopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void BreakableProxy::setMode(Mode mode) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
  ::eventfd_write(wake_.get(), 1);
}

void BreakableProxy::run() {
  while (true) {
    Mode mode{};
    {
      const std::lock_guard lock(mutex_);
      if (isStopping_) return;
      mode = mode_;
    }
    if (mode == Mode::Cut) pairs_.clear();
    std::vector<pollfd> fds = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    const bool isMoving = mode == Mode::Pass;
    for (const UniqueFd& listener : listeners_) {
      const short events = mode == Mode::Stall ? 0 : POLLIN;
      fds.push_back({.fd = listener.get(), .events = events, .revents = 0});
    }
    for (const auto& pair : pairs_) {
      for (int i = 0; i < 2; ++i) {
        const Side& side = pair->sides[i];
        short events = 0;
        if (isMoving && pair->sides[1 - i].waiting.size() < kWaitingMax) events |= POLLIN;
        if (isMoving && !side.waiting.empty()) events |= POLLOUT;
        // Not watched while stalled: the end of a connection would be reported all the time.
        fds.push_back({.fd = isMoving ? side.fd.get() : -1, .events = events, .revents = 0});
      }
    }
    const std::size_t watched = pairs_.size();
    ::poll(fds.data(), fds.size(), -1);
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.get(), &ignored);
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if ((fds[1 + i].revents & POLLIN) == 0) continue;
      if (mode == Mode::Pass) {
        accept(i);
      } else {
        UniqueFd(::accept(listeners_[i].get(), nullptr, nullptr));
      }
    }
    for (std::size_t i = 0; isMoving && i < watched; ++i) {
      Pair& pair = *pairs_[i];
      pass(pair.sides[0], pair.sides[1]);
      pass(pair.sides[1], pair.sides[0]);
    }
    std::erase_if(pairs_, [](const auto& pair) { return pair->hasEnded(); });
  }
}

void BreakableProxy::accept(std::size_t target) {
  UniqueFd from(
      ::accept4(listeners_[target].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!from.valid()) return;
  auto to = connectTo(local(targets_[target]));
  if (!to) return;
  auto pair = std::make_unique<Pair>();
  pair->sides[0].fd = std::move(from);
  pair->sides[1].fd = std::move(*to);
  for (const Side& side : pair->sides) setNoDelay(side.fd.get());
  pairs_.push_back(std::move(pair));
}

void BreakableProxy::pass(Side& from, Side& to) {
  char bytes[65536];
  while (from.isOpen && to.waiting.size() < kWaitingMax) {
    const ssize_t size = ::recv(from.fd.get(), bytes, sizeof bytes, 0);
    if (size < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (size <= 0) from.isOpen = false;
    if (size > 0) to.waiting.append(bytes, static_cast<std::size_t>(size));
  }
  while (to.isOpen && !to.waiting.empty()) {
    const ssize_t size = ::send(to.fd.get(), to.waiting.data(), to.waiting.size(), MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (size <= 0) {
      to.isOpen = false;
    } else {
      to.waiting.erase(0, static_cast<std::size_t>(size));
    }
  }
}

}  // namespace stormo::integration
