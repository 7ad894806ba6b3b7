#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Origins of pages (RFC 6454), and the patterns that allow them:
///
///     https://chat.example          exactly this one; a default port may be written or not
///     https://*.chat.example        any host below chat.example, not that host itself
///     http://localhost:*            any port
///     *                             any origin
///     null, file://                 pages without a host: sandboxed, or opened as a file
///
/// Scheme and host disregard case.
namespace stormo::websocket {

/// What is wrong with a pattern that no origin can match, and what to write instead. Empty if it is
/// valid.
[[nodiscard]] std::string complaintOfOrigin(std::string_view pattern);
/// The same for the first invalid pattern of a list.
[[nodiscard]] std::string complaintOfOrigins(const std::vector<std::string>& patterns);

/// True if a page of that origin may connect. An empty list allows all. An absent (empty) origin is
/// allowed: only browsers send one, and this check protects only their users (RFC 6455 10.2), as
/// other clients can send any origin.
[[nodiscard]] bool originAllowed(std::string_view origin, const std::vector<std::string>& allowed);

}  // namespace stormo::websocket
