#pragma once

#include <stormo/slow_policy.h>

#include <cstdint>
#include <string>

namespace stormo::net {

/// A group whose messages may be dropped for a member that does not keep up. It outlives the group
/// while messages of it are held for a member. The policy is not Disconnect.
class LossySource {
 public:
  virtual ~LossySource() = default;

  [[nodiscard]] virtual SlowPolicy policy() const = 0;
  /// Counts a message that was dropped for one member.
  virtual void onDropped() = 0;
  /// True if a member is sent a notice in the place of those that it missed.
  [[nodiscard]] virtual bool hasNotice() const = 0;
  /// The text of that notice. Empty: none is sent.
  [[nodiscard]] virtual std::string notice(std::uint64_t missed) const = 0;
};

}  // namespace stormo::net
