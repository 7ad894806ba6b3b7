#pragma once

#include <stormo/http_request.h>

#include <string>

namespace stormo::access {

/// Browsers cannot set headers for a WebSocket; a subprotocol with this prefix carries a token. It
/// is never selected.
inline constexpr std::string_view kTokenSubprotocol = "stormo.token.";

/// The token of a request, from the first of these that it has: Authorization (RFC 6750 2.1), a
/// subprotocol, the parameter `token` of the query, or the cookie of that name, unless it is empty.
/// Empty if it has none.
[[nodiscard]] std::string tokenOf(const HttpRequest& request, const std::string& cookie);

}  // namespace stormo::access
