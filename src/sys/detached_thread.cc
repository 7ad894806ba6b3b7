#include "sys/detached_thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

namespace stormo {

std::thread startThread(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread started;
  try {
    started = std::thread(std::move(body));
  } catch (const std::system_error&) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void startDetachedThread(std::function<void()> body) { startThread(std::move(body)).detach(); }

}  // namespace stormo
