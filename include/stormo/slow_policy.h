#pragma once

#include <chrono>
#include <string>

namespace stormo {

/// What happens to a message of a group for a member that has not received earlier output yet.
enum class SlowPolicy {
  Disconnect,  ///< It is queued. A member that does not drain is closed: it misses nothing
               ///< silently.
  DropOldest,  ///< It is queued; if there is no room, the oldest queued messages are dropped.
  DropNewest,  ///< It is queued; if there is no room, it is dropped.
  Latest,      ///< It replaces an earlier message of its group that is still queued.
};

/// The policy of the groups whose name matches a pattern.
struct SlowRule {
  /// As for file names in a shell: `*` is any text, `?` one byte, `[ab]` one of these bytes.
  std::string groups;
  SlowPolicy policy = SlowPolicy::Disconnect;
  /// With Latest: each group is sent at most one message within this time, the newest. 0: all.
  std::chrono::milliseconds every{0};

  bool operator==(const SlowRule&) const = default;
};

}  // namespace stormo
