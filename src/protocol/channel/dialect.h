#pragma once

#include <cstddef>
#include <string_view>

namespace stormo::channel {

/// What a decoder says of one complete payload.
enum class Decode {
  Ok,
  Invalid,  ///< Not of this protocol: close the link. The output is unspecified, but safe to reuse.
};

/// The two languages of the Channel, in frames of the same form (protocol/frame.h).
enum class Dialect {
  Workerman,  ///< protocol/workerman_channel.h: a PHP serialized array; an empty payload is a ping.
  Stormo,     ///< protocol/channel_codec.h.
};

inline constexpr std::size_t kChannelNameBytesMax = 255;

/// First byte of a payload in Stormo's dialect, 'Q'. No serialized PHP value starts with it.
inline constexpr char kStormoMagic = 0x51;

/// The dialect that a link speaks, from its first payload. A payload of neither is Workerman's,
/// whose decoder refuses it.
[[nodiscard]] inline Dialect dialectOf(std::string_view payload) {
  return !payload.empty() && payload.front() == kStormoMagic ? Dialect::Stormo : Dialect::Workerman;
}

}  // namespace stormo::channel
