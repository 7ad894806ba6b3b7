#pragma once

#include <string>
#include <vector>

#include "process/child.h"
#include "process/instance.h"
#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// The listening sockets of one role, opened before anything is forked and kept over every child's
/// death. TCP: one socket per slot, over which the kernel spreads clients. Unix: one socket, of
/// which each slot has its own descriptor.
class ListenSockets {
 public:
  /// Opens all, and writes into role.listen the ports that the kernel chose for port 0.
  /// Throws std::runtime_error that names the address and the remedy; the instance stands in it.
  ListenSockets(Role& role, const Instance& instance);
  /// Closes them and removes the unix sockets' files.
  ~ListenSockets();
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;

  /// Throws the same error for what the system would refuse, other than addresses in use. Leaves
  /// nothing open.
  static void check(const Role& role, const Instance& instance);

  /// By slot, then in the order of Role::listen.
  [[nodiscard]] Child::ListenersOfSlots fds() const;

  /// New clients are refused from now on, in every process that holds the sockets.
  void refuseClients();

  /// In a child of another role: just closes.
  void abandon();

 private:
  std::vector<std::vector<UniqueFd>> sockets_;
  std::vector<std::string> unixPaths_;
};

}  // namespace stormo::process
