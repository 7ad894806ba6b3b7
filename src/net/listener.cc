#include "net/listener.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/connection_table.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr auto kPauseWithoutFiles = std::chrono::milliseconds(100);
// A unix socket is shared by all workers: the kernel wakes one of them for a client.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLEXCLUSIVE;

}  // namespace

Listener::Listener(EventLoop& loop, const Endpoint& endpoint)
    : loop_(loop.impl()),
      table_(ConnectionTable::of(loop)),
      endpoint_(endpoint),
      tag_(loop_.addSink(*this)) {}

Listener::~Listener() {
  stopAll();
  if (paused_) loop_.timers.cancel(resumeTimer_);
  loop_.removeSink(tag_);
}

void Listener::start(int fd) {
  if (std::find(fds_.begin(), fds_.end(), fd) != fds_.end()) return;
  fds_.push_back(fd);
  if (!paused_)
    loop_.add(fd, kEvents, tag_, {.index = static_cast<std::uint32_t>(fd), .generation = 1});
}

void Listener::stop(int fd) {
  if (std::erase(fds_, fd) > 0 && !paused_) loop_.remove(fd);
}

void Listener::stopAll() {
  while (!fds_.empty()) stop(fds_.back());
}

void Listener::onReady(SlotId id, std::uint32_t) {
  const int fd = static_cast<int>(id.index);
  if (std::find(fds_.begin(), fds_.end(), fd) != fds_.end()) acceptFrom(fd);
}

void Listener::acceptFrom(int fd) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd accepted(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.valid()) {
      setNoDelay(accepted.get());
      table_.accept(std::move(accepted), endpoint_);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause();
    if (errno == EAGAIN) return;
    // Anything else concerns a client that went away while it waited.
  }
}

void Listener::pause() {
  log::error("cannot accept reason=\"{}\" (raise the open files limit: ulimit -n, LimitNOFILE=)",
             std::strerror(errno));
  for (const int fd : fds_) loop_.remove(fd);
  paused_ = true;
  resumeTimer_ = loop_.timers.add(loop_.readClock() + kPauseWithoutFiles, Clock::duration::zero(),
                                  [this] { resume(); });
}

void Listener::resume() {
  paused_ = false;
  const std::vector<int> fds = std::move(fds_);
  fds_.clear();
  for (const int fd : fds) start(fd);
}

}  // namespace stormo::net
