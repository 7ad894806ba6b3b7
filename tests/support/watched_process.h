#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <cerrno>
#include <stdexcept>

#include "support/deadline.h"
#include "sys/unique_fd.h"

namespace stormo::test {

/// Watches any process for its end.
class WatchedProcess {
 public:
  explicit WatchedProcess(pid_t pid) : pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
    if (!pidfd_.valid() && errno != ESRCH) throw std::runtime_error("pidfd_open failed");
  }

  /// Waits. Returns false if it has not ended at the deadline.
  [[nodiscard]] bool ends(const Deadline& deadline) const {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    return !pidfd_.valid() || ::poll(&ended, 1, deadline.pollMilliseconds()) == 1;
  }

 private:
  UniqueFd pidfd_;  // invalid if it had ended before
};

}  // namespace stormo::test
