#pragma once

#include <cstddef>
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
  RoleGroup(Role& described, const Timeouts& timeouts, SlotOwner& owner, const Instance& instance,
            PassedSockets& passed);
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
  std::vector<std::unique_ptr<Slot>> spares;  // one for each of `slots`
  SiblingCover cover;
};

/// One place of a role: a slot, and its spare one.
struct Place {
  RoleGroup* group;
  std::size_t index;

  [[nodiscard]] Slot& slot() const { return *group->slots[index]; }
  [[nodiscard]] Slot& spare() const { return *group->spares[index]; }
  /// The child of the spare slot becomes the one of the slot, and the other way round.
  void promote() const;
};

}  // namespace stormo::process
