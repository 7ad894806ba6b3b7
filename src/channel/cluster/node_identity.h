#pragma once

#include <stormo/result.h>

#include "channel/log/log.h"
#include "channel/log/log_directory.h"

namespace stormo::channel {

/// The identity of the node that keeps its state in this directory: chosen at random when there is
/// none. A directory that was copied has the identity of the other node. Blocks until it is on
/// disk.
[[nodiscard]] Result<NodeId> nodeIdentity(LogDirectory& directory);

}  // namespace stormo::channel
