#pragma once

#include <cstddef>
#include <string_view>

namespace stormo::channel {

/// The verdict of a decoder on one complete payload.
enum class Decode {
  Ok,
  Invalid,  ///< Not of this protocol: close the link. The output is unspecified; it may be reused.
};

/// The two protocols of the Channel. Both use frames (protocol/package/frame.h).
enum class Dialect {
  Workerman,  ///< workerman_command.h: a PHP serialized array. An empty payload is a ping.
  Stormo,     ///< packet.h.
};

inline constexpr std::size_t kChannelNameBytesMax = 255;
/// A name of an event, a group or a queue has 1 to kChannelNameBytesMax bytes.
[[nodiscard]] constexpr bool isChannelName(std::string_view name) {
  return !name.empty() && name.size() <= kChannelNameBytesMax;
}

/// First byte of a payload in Stormo's dialect, 'Q'. No serialized PHP value starts with it.
inline constexpr char kStormoMagic = 0x51;

/// The dialect of a link, from its first payload. A payload of neither is Workerman's, whose
/// decoder rejects it.
[[nodiscard]] inline Dialect dialectOf(std::string_view payload) {
  return !payload.empty() && payload.front() == kStormoMagic ? Dialect::Stormo : Dialect::Workerman;
}

}  // namespace stormo::channel
