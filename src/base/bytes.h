#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace stormo {

/// Bytes are a std::string_view everywhere, because a message is text or binary. These functions
/// read and write integers in network byte order (big-endian) at any alignment.
template <typename Integer>
[[nodiscard]] inline Integer loadBigEndian(const char* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value == 2) return __builtin_bswap16(value);
  if constexpr (sizeof value == 4) return __builtin_bswap32(value);
  if constexpr (sizeof value == 8) return __builtin_bswap64(value);
  return value;
}

template <typename Integer>
inline void storeBigEndian(char* to, Integer value) {
  if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

static_assert(std::endian::native == std::endian::little, "a big-endian host needs its own loads");

}  // namespace stormo
