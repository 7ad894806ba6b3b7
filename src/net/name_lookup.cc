#include "net/name_lookup.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "sys/unique_fd.h"

namespace stormo::net {
namespace {

/// A thread that the process's signals do not interrupt: they are for the loop.
void runDetached(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error&) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

/// Shared with the thread, which may outlive the look-up.
struct NameLookup::Answer {
  UniqueFd ready{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  Outcome outcome = std::vector<Address>{};
  std::atomic<bool> isThere = false;
};

NameLookup::NameLookup(const std::string& host, std::uint16_t port, const Resolve& resolve,
                       Handler handler)
    : loop_(EventLoop::current()),
      answer_(std::make_shared<Answer>()),
      handler_(std::move(handler)) {
  if (!answer_->ready.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
  runDetached([answer = answer_, host, port, resolve] {
    answer->outcome = resolve(host, port);
    answer->isThere.store(true, std::memory_order_release);
    ::eventfd_write(answer->ready.get(), 1);
  });
  watch_ = loop_.watch(answer_->ready.get(), EPOLLIN, [this](std::uint32_t) { onReady(); });
}

NameLookup::~NameLookup() {
  if (watch_ != 0) loop_.unwatch(watch_);
}

void NameLookup::onReady() {
  if (!answer_->isThere.load(std::memory_order_acquire)) return;
  loop_.unwatch(std::exchange(watch_, 0));
  const auto answer = answer_;
  const Handler handler = std::move(handler_);
  handler(answer->outcome);
}

}  // namespace stormo::net
