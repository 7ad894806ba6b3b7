#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sys/address.h"

namespace stormo::bench {

/// CPU time and memory of the processes of any server on this machine.
class ServerUsage {
 public:
  /// The processes that listen on the port of `address`, a loopback one, and all their descendants.
  /// None if the address is of another machine or a unix socket, or the process is another user's.
  static ServerUsage listeningOn(const Address& address);
  /// A process and all its descendants.
  static ServerUsage of(pid_t pid);

  struct Process {
    pid_t pid;
    std::string name;                   ///< As `ps -o comm` shows it. Empty: it has ended.
    std::chrono::milliseconds cpuTime;  ///< User and system time so far. Zero: it has ended.
  };

  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }
  /// In the order of pids().
  [[nodiscard]] std::vector<Process> processes() const;
  /// User and system time of all of them so far. Ended processes are not included.
  [[nodiscard]] std::chrono::milliseconds cpuTime() const;
  /// Proportional set size: shared pages are divided among the processes that share them.
  [[nodiscard]] std::uint64_t memoryBytes() const;

 private:
  explicit ServerUsage(std::vector<pid_t> pids) : pids_(std::move(pids)) {}
  std::vector<pid_t> pids_;
};

}  // namespace stormo::bench
