#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>

namespace stormo::integration {

/// A Channel's process cannot extend its log while this lives, as if the disk were full: the file
/// size limit of the process is the size of its segment, and `roomBytes`. Throws if there is no
/// such process, or it has no segment open.
class FullDisk {
 public:
  explicit FullDisk(pid_t channel, std::uint64_t roomBytes = 0);
  /// There is room again.
  ~FullDisk();
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  const pid_t channel_;
  rlimit former_{};
};

}  // namespace stormo::integration
