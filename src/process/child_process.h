#pragma once

#include <chrono>
#include <vector>

#include "base/counters.h"
#include "process/child.h"
#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// The name of a child in the log: "worker none/2".
std::string childName(const Role& role, int slot);

/// What a forked process becomes.
struct ChildRole {
  const Role& role;
  int slot;
  int part;
  Counters& counters;
  Child::ListenersOfSlots listeners;
  std::vector<const Counters*> siblings;
  int stateDirectory;
  std::chrono::milliseconds linkedWithin;  ///< Time limit for what it waits for (see Awaited).
  UniqueFd link;
};

/// Runs a child, after the master's resources were released: changes to the role's user, runs the
/// role's main, reports that it is ready when what it waits for has arrived, and runs the loop.
/// Ends the process with status 0 after loop.stop(), or 1 after an exception.
[[noreturn]] void runChild(ChildRole role);

}  // namespace stormo::process
