#pragma once

#include <string>
#include <string_view>

namespace stormo::access {

/// A token (RFC 7515 7.1) with these claims, a JSON object, signed by HS256. `secret` has at least
/// 32 bytes.
[[nodiscard]] std::string signToken(std::string_view claims, std::string_view secret);

}  // namespace stormo::access
