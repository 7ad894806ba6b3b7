#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace stormo::access {

/// How a token is signed (RFC 7518 3.1, RFC 8037 3.1). "none" is not among them.
enum class Algorithm : std::uint8_t {
  HS256,
  HS384,
  HS512,
  RS256,
  RS384,
  RS512,
  ES256,
  ES384,
  EdDSA,  ///< With Ed25519.
};

/// What kind of key an algorithm needs.
enum class KeyKind : std::uint8_t { Secret, Rsa, P256, P384, Ed25519 };

[[nodiscard]] std::string_view nameOf(Algorithm algorithm);
/// Names are case-sensitive. Nothing for others, such as "none".
[[nodiscard]] std::optional<Algorithm> algorithmNamed(std::string_view name);
/// All algorithms that a key of that kind can be used with.
[[nodiscard]] std::span<const Algorithm> algorithmsFor(KeyKind kind);

}  // namespace stormo::access
