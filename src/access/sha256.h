#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stormo::access {

using Sha256 = std::array<unsigned char, 32>;

/// FIPS 180-4.
[[nodiscard]] Sha256 sha256(std::string_view bytes);

/// The first 8 bytes of it as a number, for names of 64 bits that are as good as unique.
[[nodiscard]] std::uint64_t sha256Start(std::string_view bytes);

}  // namespace stormo::access
