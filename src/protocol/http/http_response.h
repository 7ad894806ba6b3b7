#pragma once

#include <stormo/http_request.h>

#include <string>
#include <string_view>
#include <vector>

namespace stormo {

/// The reason phrase of a status code (RFC 7231 6.1), or "Unknown".
[[nodiscard]] std::string_view httpReason(int status);

/// A whole HTTP/1.1 response after which the connection is to be closed. `headOnly` (the answer to
/// HEAD) leaves out the body and keeps its Content-Length. An empty `contentType` leaves out that
/// header. An extra header that holds CR, LF or NUL is left out: it would forge others.
[[nodiscard]] std::string httpResponse(int status, std::string_view contentType,
                                       std::string_view body, bool headOnly = false,
                                       const std::vector<HttpHeader>& extraHeaders = {});

}  // namespace stormo
