#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "sys/address.h"

namespace stormo::bench {

/// The processes of a server on this machine, as seen from outside: any server's.
class ServerUsage {
 public:
  /// Those that listen on the port of `address`, a loopback one, with all their descendants. None
  /// if it is another machine's, a unix socket, or another user's.
  static ServerUsage listeningOn(const Address& address);
  /// A process and all its descendants.
  static ServerUsage of(pid_t pid);

  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }
  /// Of all of them so far, user and system time. Ended processes no longer count.
  [[nodiscard]] std::chrono::milliseconds cpuTime() const;
  /// Proportional set size: shared pages are divided among those who share them.
  [[nodiscard]] std::uint64_t memoryBytes() const;

 private:
  explicit ServerUsage(std::vector<pid_t> pids) : pids_(std::move(pids)) {}
  std::vector<pid_t> pids_;
};

}  // namespace stormo::bench
