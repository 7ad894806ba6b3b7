#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stormo::channel {

/// The public key (U…) of a user's NKey, from its seed (SU…): base32 of a prefix, the Ed25519 key
/// and a CRC-16/XMODEM. Nullopt if the seed is not a user's, or is damaged.
[[nodiscard]] std::optional<std::string> publicKeyOfSeed(std::string_view seed);

}  // namespace stormo::channel
