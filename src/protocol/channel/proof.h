#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// How a client of the Channel proves that it knows the secret, which is never sent: the server
/// sends random bytes, and the client answers with their keyed hash (docs/channel-protocol.md).
namespace stormo::channel {

inline constexpr std::size_t kChallengeBytes = 32;
inline constexpr std::size_t kProofBytes = 32;

using ChallengeBytes = std::array<char, kChallengeBytes>;

/// New random bytes, for one link. Throws std::bad_alloc if the system has none.
[[nodiscard]] ChallengeBytes randomChallenge();

/// HMAC-SHA256 (RFC 2104) with the secret as its key: kProofBytes bytes. The producer id is that of
/// the client's Hello.
[[nodiscard]] std::string proofOf(std::string_view secret, std::string_view challenge,
                                  std::uint64_t producerId);

/// True if `proof` is that. Takes the same time wherever the first difference is.
[[nodiscard]] bool isProofOf(std::string_view secret, std::string_view challenge,
                             std::uint64_t producerId, std::string_view proof);

}  // namespace stormo::channel
