#pragma once

#include <stormo/http_request.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/http_request.h"

namespace stormo {

/// The head of an HTTP/1.x response (RFC 9112 4). Owns its strings.
struct HttpResponseHead {
  int status = 0;
  int versionMinor = 1;             ///< The x of HTTP/1.x.
  std::vector<HttpHeader> headers;  ///< In the order in which they were sent, with repetitions.
};

/// Parses the response head at the front of `in`: the status line and the headers, up to and
/// including the empty line. As decodeHead(), but for the empty line before a head, which is
/// invalid.
[[nodiscard]] HeadDecode decodeResponseHead(std::string_view in, std::size_t headBytesMax,
                                            HttpResponseHead& out, std::size_t& headBytes,
                                            std::size_t judged = 0);

}  // namespace stormo
