#pragma once

#include <chrono>
#include <vector>

#include "base/counters.h"
#include "process/child.h"
#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// "worker none/2": a child in the log.
std::string childName(const Role& role, int slot);

/// What a forked process is to be.
struct ChildRole {
  const Role& role;
  int slot;
  Counters& counters;
  Child::ListenersOfSlots listeners;
  std::vector<const Counters*> siblings;
  int stateFile;
  std::chrono::milliseconds linkedWithin;  ///< What it awaits has to be there by then.
  UniqueFd link;
};

/// The life of a child, after everything of its master was let go: becomes its user, runs the
/// role's main, says that it is ready once what it awaits is there, turns its loop, and ends the
/// process with this status: 0 after loop.stop(), 1 after an exception.
[[noreturn]] void runChild(ChildRole role);

}  // namespace stormo::process
