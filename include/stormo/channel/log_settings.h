#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace stormo::channel {

/// When the records of the Channel's log are on disk; see docs/log-format.md, where these numbers
/// are in files.
enum class SyncPolicy : std::uint8_t {
  Process = 0,   ///< When the kernel writes them: they survive all processes, but no power failure.
  Interval = 1,  ///< As Process, but at most an interval later.
  Always = 2,    ///< Before anything is acknowledged or delivered.
};

/// As in settings, and in what `stormo log` prints.
constexpr const char* syncPolicyText(SyncPolicy policy) {
  switch (policy) {
    case SyncPolicy::Process:
      return "process";
    case SyncPolicy::Interval:
      return "interval";
    case SyncPolicy::Always:
      break;
  }
  return "always";
}

/// The log of a Channel: all that it has acknowledged, in files. The next server goes on from it,
/// in the same epoch, whatever has ended the last one. docs/delivery.md states what is promised.
struct LogSettings {
  /// Empty: `channel-log` in the instance's directory for the first channel::Server of a program;
  /// others have no log, and their state ends with their process.
  std::string directory = {};
  SyncPolicy sync = SyncPolicy::Process;
  std::chrono::milliseconds interval{200};  ///< With SyncPolicy::Interval.
  std::uint64_t segmentBytes = 64 << 20;    ///< A segment ends before it exceeds this.
  /// Maximum bytes of segments and snapshots. Above it, and while the disk is full, nothing is
  /// acknowledged.
  std::uint64_t totalBytesMax = 1 << 30;
};

}  // namespace stormo::channel
