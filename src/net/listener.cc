#include "net/listener.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/connection_table.h"
#include "net/proxy_peers.h"
#include "sys/log.h"
#include "sys/open_files.h"
#include "sys/sockets.h"

namespace stormo::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::chrono::milliseconds kPause{100};
// Descriptors that clients do not get. After a restart of the Channel a process connects to it
// again, which takes a few; so does a log file that is opened again.
constexpr std::size_t kReserve = 16;
// How long a process with more clients than a sibling leaves the next one to it.
constexpr std::chrono::milliseconds kLeave{5};
// A client of a shared socket wakes all processes that watch it, as the kernel cannot choose the
// one with the fewest clients. A process that is ahead is woken at most once in kLeave.
constexpr std::uint32_t kSharedEvents = EPOLLIN;
// While a process covers for a sibling, two watch one socket: the kernel wakes one of them.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLEXCLUSIVE;

UniqueFd acceptOne(int fd, Address& remote) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const raw = reinterpret_cast<sockaddr*>(&storage);
  UniqueFd accepted(::accept4(fd, raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.valid()) remote = Address::fromRaw(raw, size);
  return accepted;
}

const char* remedy(const std::error_code& code) {
  if (code == std::errc::no_space_on_device) return " (raise sysctl fs.epoll.max_user_watches)";
  if (code == std::errc::too_many_files_open) {
    return " (raise the open files limit: ulimit -n, LimitNOFILE=)";
  }
  if (code == std::errc::too_many_files_open_in_system) return " (raise sysctl fs.file-max)";
  return "";
}

}  // namespace

Listener::Listener(EventLoop& loop, const Endpoint& endpoint,
                   const std::vector<const Counters*>& siblings)
    : loop_(LoopImpl::of(loop)),
      table_(ConnectionTable::of(loop)),
      endpoint_(endpoint),
      fairShare_(siblings),
      tag_(loop_.addSink(*this)) {}

Listener::~Listener() {
  stopAll();
  if (resumes_) loop_.timers.cancel(resumeTimer_);
  loop_.removeSink(tag_);
}

void Listener::start(int fd, bool awaitsProxyHeader) {
  if (find(fd) != nullptr) return;
  sockets_.push_back({.fd = fd,
                      .awaitsProxyHeader = awaitsProxyHeader,
                      .isShared = fairShare_.hasSiblings() && !sharesPort(fd)});
  loop_.counters().listeners.add();
  setOptions(fd);
  if (!resumes_) watch(sockets_.back());
}

/// Sets what accepted sockets inherit, which saves a system call for each.
void Listener::setOptions(int fd) const {
  const auto timeout = endpoint_.unacknowledgedTimeout;
  if (endpoint_.pingInterval == endpoint_.pingInterval.zero()) setKeepAlive(fd);
  if (endpoint_.kernelUnsentBytesMax > 0) setUnsentBytesMax(fd, endpoint_.kernelUnsentBytesMax);
  if (timeout > timeout.zero()) setUnacknowledgedTimeout(fd, timeout);
}

void Listener::stop(int fd) {
  Socket* socket = find(fd);
  if (socket == nullptr) return;
  unwatch(*socket);
  loop_.counters().listeners.subtract();
  std::erase_if(sockets_, [fd](const Socket& each) { return each.fd == fd; });
}

void Listener::stopAll() {
  while (!sockets_.empty()) stop(sockets_.back().fd);
}

Listener::Socket* Listener::find(int fd) {
  const auto found = std::ranges::find(sockets_, fd, &Socket::fd);
  return found == sockets_.end() ? nullptr : &*found;
}

void Listener::watch(Socket& socket) {
  const Handle id{.index = static_cast<std::uint32_t>(socket.fd), .generation = 1};
  const auto added = loop_.add(socket.fd, socket.isShared ? kSharedEvents : kEvents, tag_, id);
  socket.isWatched = added.ok();
  if (!added) pauseFor(added.error(), false);
}

void Listener::unwatch(Socket& socket) {
  if (std::exchange(socket.isWatched, false)) loop_.remove(socket.fd);
}

void Listener::onReady(Handle id, std::uint32_t) {
  const int fd = static_cast<int>(id.index);
  Socket* socket = find(fd);
  if (socket == nullptr) return;
  const bool isShared = socket->isShared;
  if (isShared && fairShare_.isAhead(loop_.counters())) return leave(*socket);
  for (int accepts = 0; accepts < kAcceptsPerTurn; ++accepts) {
    if (!acceptFrom(fd)) return;
    if (isShared && fairShare_.isAhead(loop_.counters())) return;
  }
}

/// A sibling with fewer clients was woken, too, and accepts the client, unless it is hung or busy.
void Listener::leave(Socket& socket) {
  unwatch(socket);
  socket.isLeft = true;
  if (resumes_) return;
  fairShare_.beginLeaving();
  resumeAfter(kLeave);
}

/// Accepts one client of each socket that was left: it has waited long enough.
void Listener::acceptLeftOver() {
  const auto nextLeft = [this] { return std::ranges::find(sockets_, true, &Socket::isLeft); };
  for (auto left = nextLeft(); left != sockets_.end(); left = nextLeft()) {
    left->isLeft = false;
    if (acceptFrom(left->fd)) fairShare_.noteNotAccepted();
  }
}

/// False if no client waits, or none can be accepted now.
bool Listener::acceptFrom(int fd) {
  const Socket* const socket = find(fd);
  if (socket == nullptr) return false;
  Address remote;
  UniqueFd accepted = acceptOne(fd, remote);
  if (accepted.valid()) {
    if (isRefused(*socket, remote)) return true;
    setNoDelay(accepted.get());
    const bool isLow = isLowDescriptor(accepted.get(), kReserve);
    const auto added =
        table_.accept(std::move(accepted), endpoint_, remote, socket->awaitsProxyHeader);
    if (!added) pauseFor(added.error(), true);
    if (added && !isLow) pauseForReserve();
    return added.ok() && isLow;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    pauseFor(lastError("accept"), false);
    return false;
  }
  // Any other error is about a client that disconnected while it waited.
  return errno != EAGAIN;
}

/// An address with the PROXY protocol is for trusted proxies only: any other peer could state any
/// address.
bool Listener::isRefused(const Socket& socket, const Address& remote) {
  if (!socket.awaitsProxyHeader || endpoint_.proxies->trusts(remote)) return false;
  loop_.counters().badPeers.add();
  endpoint_.proxies->logRefusal(remote, "not a trusted proxy", loop_.now);
  return true;
}

void Listener::pauseFor(const Error& error, bool refused) {
  const std::string why = fmt::format("reason=\"{}\"{}", error.message(), remedy(error.code));
  pause(error.code.value(), refused, why);
}

void Listener::pauseForReserve() {
  lacksReserve_ = true;
  const auto code = std::make_error_code(std::errc::too_many_files_open);
  pause(code.value(), false,
        fmt::format("reason=\"the last {} descriptors are kept for other uses\"{}", kReserve,
                    remedy(code)));
}

/// Tries again soon: the system may have the resource again.
void Listener::pause(int cause, bool refused, const std::string& why) {
  loop_.counters().acceptPauses.add();
  if (refused) loop_.counters().acceptRefused.add();
  auto known = std::ranges::find(causes_, cause, &Cause::error);
  if (known == causes_.end()) known = causes_.insert(known, {.error = cause, .logLimit = {}});
  if (const auto pauses = known->logLimit.take(loop_.now); pauses > 0) {
    log::error("cannot accept {} pauses={} refused={}", why, pauses,
               loop_.counters().acceptRefused.get());
  }
  for (Socket& socket : sockets_) unwatch(socket);
  if (resumes_) loop_.timers.cancel(resumeTimer_);
  resumeAfter(kPause);
}

void Listener::resumeAfter(std::chrono::milliseconds wait) {
  resumes_ = true;
  resumeTimer_ =
      loop_.timers.add(loop_.readClock() + wait, Clock::duration::zero(), [this] { resume(); });
}

void Listener::resume() {
  resumes_ = false;
  if (lacksReserve_ && !sockets_.empty()) {
    lacksReserve_ = !hasFreeDescriptors(sockets_.front().fd, kReserve);
    if (lacksReserve_) return resumeAfter(kPause);
  }
  acceptLeftOver();
  for (std::size_t i = 0; i < sockets_.size() && !resumes_; ++i) {
    if (!sockets_[i].isWatched) watch(sockets_[i]);
  }
}

}  // namespace stormo::net
