#include "process/signals.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <system_error>

namespace stormo::process {
namespace {

constexpr int kHandled[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

/// Ignores a signal like SIG_IGN, but a program that this process executes does not inherit it.
void discard(int) {}

bool isIgnored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

SignalWatch::SignalWatch(EventLoop& loop, std::function<void(int)> onSignal)
    : loop_(loop), onSignal_(std::move(onSignal)) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : kHandled) {
    if (signal != SIGHUP || !isIgnored(SIGHUP)) sigaddset(&watched, signal);
  }
  sigaddset(&watched, SIGCHLD);
  ::signal(SIGCHLD, SIG_DFL);  // if ignored, children would end without a status
  ::signal(SIGPIPE, SIG_IGN);
  ::sigprocmask(SIG_BLOCK, &watched, &before_);
  fd_.reset(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_.valid()) throw std::system_error(errno, std::generic_category(), "signalfd");
  watch_ = loop_.watch(fd_.get(), EPOLLIN, [this](std::uint32_t) { onReady(); });
}

SignalWatch::~SignalWatch() {
  loop_.unwatch(watch_);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void discardMasterSignals() {
  for (const int signal : kHandled) {
    if (!isIgnored(signal)) ::signal(signal, discard);  // with SA_RESTART
  }
  ::signal(SIGPIPE, discard);
}

void SignalWatch::becomeChild() {
  fd_.reset();
  discardMasterSignals();
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::onReady() {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == ssize_t{sizeof info}) {
    onSignal_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace stormo::process
