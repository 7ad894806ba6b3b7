#pragma once

#include <cstdint>
#include <random>

namespace stormo {

/// 63 random bits, the lowest bit always set, so never zero. Unique in practice.
inline std::uint64_t randomId() {
  std::random_device source;
  return ((std::uint64_t{source()} << 32) | source()) | 1;
}

}  // namespace stormo
