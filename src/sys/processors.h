#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace stormo {

/// How many processors this process may use, at least 1: those of its affinity mask, and not more
/// than the quotas of its control groups pay for (rounded down).
[[nodiscard]] std::size_t usableProcessors();

/// The content of a file, or of one that cannot be read "".
using FileContent = std::function<std::string(const std::string& path)>;

/// The quota of the control groups that this process is in, of version 2 (cpu.max) and 1
/// (cpu.cfs_quota_us), and of all groups around them: the smallest, in whole processors and at
/// least 1. `otherwise` if there is no quota, or a larger one.
[[nodiscard]] std::size_t processorsWithinQuota(std::size_t otherwise, const FileContent& read);

}  // namespace stormo
