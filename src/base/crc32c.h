#pragma once

#include <cstdint>
#include <string_view>

namespace stormo {

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4), the checksum of iSCSI, ext4 and most logs. Uses the
/// processor's instruction for it where there is one.
/// To compute it in pieces, pass the checksum of the bytes `before`.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

/// The same without that instruction. For processors that lack it, and for the test.
[[nodiscard]] std::uint32_t crc32cByTable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace stormo
