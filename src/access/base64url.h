#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base64url without padding (RFC 7515 2).
namespace stormo::access {

/// Nothing for text that encodeBase64url() does not make: other characters, padding, or bits that
/// no byte uses.
[[nodiscard]] std::optional<std::string> decodeBase64url(std::string_view text);

[[nodiscard]] std::string encodeBase64url(std::string_view bytes);

}  // namespace stormo::access
