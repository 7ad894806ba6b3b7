#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace stormo {

/// Number of processors this process may use, at least 1: those of its affinity mask, limited by
/// the quotas of its control groups (rounded down).
[[nodiscard]] std::size_t usableProcessors();

/// Returns the content of a file, or "" if it cannot be read.
using FileContent = std::function<std::string(const std::string& path)>;

/// The CPU quota in whole processors, at least 1: the smallest of this process's control groups,
/// version 2 (cpu.max) and 1 (cpu.cfs_quota_us), and of all their parents. `otherwise` if there is
/// no quota or a larger one.
[[nodiscard]] std::size_t processorsWithinQuota(std::size_t otherwise, const FileContent& read);

}  // namespace stormo
