#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "process/json_fwd.h"
#include "process/role_group.h"

namespace stormo::process {

/// When a master began, for people and for subtraction.
struct StartTime {
  std::chrono::system_clock::time_point wall = std::chrono::system_clock::now();
  TimePoint steady = Clock::now();
};

/// What `status --json` prints. Rates are over the last one to three seconds or so. Reads the
/// children's shared counters and /proc; asks no child.
Json statusReport(const std::string& programName, const StartTime& started,
                  const std::vector<std::unique_ptr<RoleGroup>>& roles);

/// The memory that a process costs (proportional set size; resident where that cannot be read).
std::uint64_t memoryBytes(pid_t pid);

/// A role's addresses as one text, "a, b"; "none" without any.
std::string listenText(const Role& role);

}  // namespace stormo::process
