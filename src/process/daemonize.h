#pragma once

#include <functional>

#include "process/start_report.h"

namespace stormo::process {

/// Runs `body` in a process of its own: in a new session, without a terminal, with /dev/null for
/// stdin, stdout and stderr (until the log captures stdout and stderr). In the calling process,
/// waits until body says that all is up, prints its screen and returns 0; or prints the sentence of
/// the exception that body threw, as "programName: …", and returns 1. Throws std::runtime_error if
/// the process cannot be made.
int runAsDaemon(const std::string& programName, const std::function<int(StartReport&)>& body);

/// Of what the daemon's starter gave it, lets the rest go, once it is not needed any more: the
/// working directory (it becomes "/") and descriptors.
void leaveStarter();

}  // namespace stormo::process
