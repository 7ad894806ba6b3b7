#pragma once

#include <stormo/channel/server.h>

#include <vector>

namespace stormo::channel {

/// The Servers of this process, in the order of their construction.
std::vector<Server*>& declaredServers();

}  // namespace stormo::channel
