#pragma once

#include <stormo/http_request.h>

#include <cstddef>
#include <string_view>

namespace stormo {

enum class HeadDecode {
  NeedMore,
  Ok,
  Bad,       ///< Not an HTTP/1.x request: 400.
  TooLarge,  ///< Not complete within headBytesMax: 431.
};

/// Parses the request head at the front of `in` (RFC 7230 3): the request line and the headers, up
/// to and including the empty line; one empty line before it is skipped (RFC 9112 2.2). Judges what
/// is there before asking for more. `in` begins with the head's first byte at each call. Writes
/// `out` and `headBytes` (the head's length; a body would follow) only when Ok.
///
/// `judged`: how many bytes of `in` an earlier call has answered with NeedMore. The work of all
/// calls for one head is proportional to its bytes, however they arrive: the end is searched in the
/// new bytes only, and an unfinished head is judged again only when its length has doubled.
[[nodiscard]] HeadDecode decodeHead(std::string_view in, std::size_t headBytesMax, HttpRequest& out,
                                    std::size_t& headBytes, std::size_t judged = 0);

}  // namespace stormo
