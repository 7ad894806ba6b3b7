#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "process/json_fwd.h"
#include "process/role_group.h"

namespace stormo::process {

/// When a master started, as wall clock time and for the uptime.
struct StartTime {
  std::chrono::system_clock::time_point wall = std::chrono::system_clock::now();
  TimePoint steady = Clock::now();
};

/// The output of `status --json`. Rates are over about the last 1 to 3 s. Reads the children's
/// shared counters and /proc, and sends no request to children.
Json statusReport(const std::string& programName, const StartTime& started,
                  const std::vector<std::unique_ptr<RoleGroup>>& roles);

/// The memory of a process: its proportional set size, or the resident size if that is unreadable.
std::uint64_t memoryBytes(pid_t pid);

/// A role's addresses as one text: "a, b", or "none".
std::string listenText(const Role& role);

}  // namespace stormo::process
