#pragma once

#include <functional>

#include "process/start_report.h"

namespace stormo::process {

/// Runs `body` in a new process: in a new session, without a terminal, with /dev/null as stdin,
/// stdout and stderr (until log::captureStandardOutput()). The calling process waits until `body`
/// reports that all processes have started, prints its screen and returns 0; or prints the text of
/// the exception that `body` threw, as "programName: …", and returns 1. Throws std::runtime_error
/// if the process cannot be created.
int runAsDaemon(const std::string& programName, const std::function<int(StartReport&)>& body);

/// Releases what the daemon inherited from its starter: changes the working directory to "/" and
/// closes inherited descriptors. Call it when they are no longer needed.
void leaveStarter();

}  // namespace stormo::process
