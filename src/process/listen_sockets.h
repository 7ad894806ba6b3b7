#pragma once

#include <string>
#include <vector>

#include "process/child.h"
#include "process/instance.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// The listening sockets of one role. They are opened before the first fork, and stay open when
/// children end. TCP: one socket per slot; the kernel distributes clients among them. Unix: one
/// socket, of which each slot has its own descriptor.
class ListenSockets {
 public:
  /// Opens all sockets, and writes to role.listen the ports that the kernel chose for port 0.
  /// Throws std::runtime_error with the address and the remedy; `instance` is named in it.
  /// Uses those of `passed` that listen on its addresses, all slots the same one.
  ListenSockets(Role& role, const Instance& instance, PassedSockets* passed = nullptr);
  /// Closes them and removes the unix sockets' files.
  ~ListenSockets();
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;

  /// By slot, then in the order of Role::listen.
  [[nodiscard]] Child::ListenersOfSlots fds() const;

  /// Refuses new clients from now on in the sockets that this slot alone has. The kernel gives them
  /// to those of other slots.
  void refuseClientsOf(std::size_t slot);
  /// Refuses new clients from now on, in all processes that hold the sockets. Sockets that were
  /// passed stay as they are: clients wait in them for the next start.
  void refuseClients();

  /// In a child of another role: closes the sockets, and keeps the files.
  void abandon();

 private:
  /// The same socket for all slots.
  void share(UniqueFd socket);

  std::vector<std::vector<UniqueFd>> sockets_;
  // Both in the order of Role::listen:
  std::vector<bool> arePassed_;
  std::vector<bool> areShared_;  // by all slots
  std::vector<std::string> unixPaths_;
};

}  // namespace stormo::process
