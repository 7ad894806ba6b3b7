#pragma once

#include <stormo/channel/server.h>

#include <vector>

namespace stormo::channel {

/// The Servers that exist in this process, in the order of their making.
std::vector<Server*>& declaredServers();

}  // namespace stormo::channel
