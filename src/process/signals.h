#pragma once

#include <stormo/event_loop.h>

#include <csignal>
#include <functional>

#include "sys/unique_fd.h"

namespace stormo::process {

/// The master's signals as events of its loop. Explicit for each, so that it works as PID 1 too, to
/// which the kernel sends no signal that is not asked for.
///   SIGINT, SIGTERM  stop         (SIGINT once more: at once)
///   SIGQUIT          stop gracefully
///   SIGUSR1          reload
///   SIGHUP           stop if started in a terminal's foreground, which has hung up; else reload
///   SIGUSR2          reopen the log's file
///   SIGCHLD          a child ended
/// SIGPIPE is ignored, and so is SIGHUP if it was (nohup).
class SignalWatch {
 public:
  SignalWatch(EventLoop& loop, std::function<void(int)> onSignal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// In a child: discards what a terminal or a supervisor sends to the whole group, because the
  /// master stops its children, in the right order. Other signals do what they do by default, and
  /// all of them do so again in a program that the child executes.
  void becomeChild();

 private:
  void onReady();

  EventLoop& loop_;
  std::function<void(int)> onSignal_;
  sigset_t before_;
  UniqueFd fd_;
  EventLoop::WatchId watch_ = 0;
};

}  // namespace stormo::process
