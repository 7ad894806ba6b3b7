#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process/listen_sockets.h"
#include "process/sibling_cover.h"
#include "process/slot.h"

namespace stormo::process {

/// One running role: its sockets, its slots, and which slot accepts for which.
struct RoleGroup {
  /// Opens the sockets (see ListenSockets) and the state directory. Throws std::runtime_error.
  RoleGroup(Role& described, const Timeouts& timeouts, SlotOwner& owner, const Instance& instance);
  /// False if the state directory was deleted while it was open.
  [[nodiscard]] bool hasStateDirectory() const;
  /// Creates it again; what it held is lost. Throws std::runtime_error.
  void restoreStateDirectory();
  /// In a child of another role: closes all descriptors.
  void abandon();

  const Role& role;
  ListenSockets sockets;
  UniqueFd stateDirectory;
  std::vector<std::unique_ptr<Slot>> slots;
  SiblingCover cover;
};

}  // namespace stormo::process
