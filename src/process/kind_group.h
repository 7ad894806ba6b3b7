#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process/listen_sockets.h"
#include "process/sibling_cover.h"
#include "process/slot.h"

namespace stormo::process {

/// One kind as it runs: its sockets, its slots, and who accepts for whom.
struct KindGroup {
  /// Opens the sockets; see ListenSockets.
  KindGroup(Kind& described, const Patience& patience, SlotOwner& owner,
            const std::string& programName)
      : kind(described), sockets(described, programName), cover(described.count) {
    for (int i = 0; i < kind.count; ++i) {
      slots.push_back(std::make_unique<Slot>(kind, i, patience, owner));
    }
  }

  const Kind& kind;
  ListenSockets sockets;
  std::vector<std::unique_ptr<Slot>> slots;
  SiblingCover cover;
};

}  // namespace stormo::process
