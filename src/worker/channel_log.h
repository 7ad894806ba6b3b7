#pragma once

#include <stormo/channel/server.h>

#include <memory>
#include <string>

#include "channel/log/log.h"
#include "channel/log/log_directory.h"
#include "process/child.h"

namespace stormo {

/// Throws std::invalid_argument, with a sentence for the user, if what concerns the server's
/// cluster is not valid.
void checkCluster(const channel::Server& server);

/// The place of the server's log in the instance's directory. A cluster has another one: its files
/// are of another kind.
[[nodiscard]] std::string logDirectoryOf(const channel::Server& server,
                                         const std::string& instanceDirectory);

/// True if the server shares its log with those of other machines.
[[nodiscard]] bool hasCluster(const channel::Server& server);

/// The log of a Channel's process: in files, of a cluster, or in memory. `directory` outlives it.
/// That of a cluster lists the nodes for the child, and outlives its loop.
[[nodiscard]] std::unique_ptr<channel::Log> makeLog(process::Child& child,
                                                    const channel::Server& server,
                                                    channel::LogDirectory& directory);

}  // namespace stormo
