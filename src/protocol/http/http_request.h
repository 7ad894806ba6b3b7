#pragma once

#include <stormo/http_request.h>

#include <cstddef>
#include <string_view>

namespace stormo {

enum class HeadDecode {
  NeedMore,
  Ok,
  Bad,       ///< Not an HTTP/1.x request: answer 400.
  TooLarge,  ///< Not complete within headBytesMax: answer 431.
};

/// Parses the request head at the front of `in` (RFC 9112 2.1): the request line and the headers,
/// up to and including the empty line. One empty line before it is skipped (RFC 9112 2.2). An
/// invalid head is reported before it is complete. `in` starts with the head's first byte at each
/// call. Writes `out` and `headBytes` (the length of the head, after which a body would follow)
/// only when Ok.
///
/// `judged`: the number of bytes of `in` to which an earlier call returned NeedMore. The work of
/// all calls for one head is proportional to its bytes, however they arrive: only new bytes are
/// searched for the end, and an incomplete head is parsed again only when its length has doubled.
[[nodiscard]] HeadDecode decodeHead(std::string_view in, std::size_t headBytesMax, HttpRequest& out,
                                    std::size_t& headBytes, std::size_t judged = 0);

}  // namespace stormo
