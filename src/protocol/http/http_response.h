#pragma once

#include <stormo/http_request.h>

#include <string>
#include <string_view>
#include <vector>

namespace stormo {

/// The reason phrase of a status code (RFC 9110 15), or "Unknown".
[[nodiscard]] std::string_view httpReason(int status);

/// A complete HTTP/1.1 response, after which the connection must be closed. `headOnly`, for a HEAD
/// request, omits the body and keeps its Content-Length. An empty `contentType` omits that header.
/// An extra header that holds CR, LF or NUL is omitted, as it would forge others.
[[nodiscard]] std::string httpResponse(int status, std::string_view contentType,
                                       std::string_view body, bool headOnly = false,
                                       const std::vector<HttpHeader>& extraHeaders = {});

}  // namespace stormo
