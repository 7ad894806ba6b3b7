#pragma once

#include <stormo/channel/messages.h>

#include <cstdint>
#include <string_view>

namespace stormo::channel {

/// What a part that is built on a Channel (as GroupServer is) receives from it. A Channel has any
/// number of listeners, and calls each of them in the order in which they were added, before the
/// program's own handler of the same name. A listener outlives the Channel, or is removed.
class Listener {
 public:
  /// A message of a subscribed group.
  virtual void onGroupMessage(const GroupMessage& /*message*/) {}
  virtual void onConnect() {}
  virtual void onClose() {}
  virtual void onDrain() {}
  virtual void onAcknowledged() {}
  virtual void onRejected(std::uint64_t /*number*/, std::string_view /*reason*/) {}
  virtual void onGap() {}

 protected:
  ~Listener() = default;
};

}  // namespace stormo::channel
