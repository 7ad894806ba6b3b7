#pragma once

#include <cstddef>
#include <string_view>

namespace stormo::channel {

/// The id of a client is base64url: 9 random bytes of its process, then 15 bytes that only that
/// process understands.
inline constexpr std::size_t kClientIdBytes = 32;
inline constexpr std::size_t kProcessIdBytes = 12;  ///< Of the id, as text.

/// The name that is subscribed to receive what is sent to a name: a process subscribes once for all
/// its clients, whose names begin with that one; all other names are their own.
[[nodiscard]] constexpr std::string_view subscriptionOf(std::string_view channelName) {
  const bool isClient =
      channelName.size() == 2 + kClientIdBytes && channelName[0] == '\0' && channelName[1] == 'c';
  return isClient ? channelName.substr(0, 2 + kProcessIdBytes) : channelName;
}
[[nodiscard]] constexpr bool isClientName(std::string_view channelName) {
  return subscriptionOf(channelName).size() != channelName.size();
}

}  // namespace stormo::channel
