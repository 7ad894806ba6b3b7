#pragma once

#include <stormo/event_loop.h>

#include <csignal>
#include <functional>

#include "sys/unique_fd.h"

namespace stormo::process {

/// In a process whose master stops it: discards the signals that a terminal or a supervisor sends
/// to the whole group. A program that it executes has their default actions.
void discardMasterSignals();

/// The master's signals as events of its loop. Each is handled explicitly, so that they work for
/// PID 1 too, to which the kernel delivers no other signals.
///   SIGINT, SIGTERM  stop         (a second SIGINT kills all processes)
///   SIGQUIT          stop gracefully
///   SIGUSR1          reload
///   SIGHUP           stop if started in the foreground of a terminal, which was closed; else read
///                    the credentials again
///   SIGUSR2          reopen the log file
///   SIGCHLD          a child ended
///
/// SIGPIPE is ignored, and so is SIGHUP if it was (nohup).
class SignalWatch {
 public:
  SignalWatch(EventLoop& loop, std::function<void(int)> onSignal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// In a child: discardMasterSignals(). Other signals have their default action.
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
