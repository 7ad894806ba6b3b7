#pragma once

#include <cstdint>
#include <random>

namespace stormo {

/// 64 bits that nobody else has drawn. Never zero, which is nobody's.
inline std::uint64_t randomId() {
  std::random_device source;
  return ((std::uint64_t{source()} << 32) | source()) | 1;
}

}  // namespace stormo
