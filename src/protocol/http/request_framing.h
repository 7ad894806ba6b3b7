#pragma once

#include <stormo/http_request.h>

#include <cstdint>
#include <string_view>

namespace stormo {

/// How the body of a request is delimited (RFC 9112 6), or why the request must be refused.
struct RequestFraming {
  /// 0: the request is valid. Else the status to answer with before the connection is closed: 400,
  /// 413, 417 or 501.
  int refusal = 0;
  const char* reason = "";  ///< A literal, of a refusal.
  bool isChunked = false;
  std::uint64_t bodyBytes = 0;   ///< 0 if it is chunked.
  bool expectsContinue = false;  ///< RFC 9110 10.1.1: the client waits for 100.
};

/// Judges the fields that a proxy could understand in another way than this server, so that no
/// request can be smuggled past it: strictly, where RFC 9112 leaves a choice. `head` is the text
/// that the request was parsed from.
[[nodiscard]] RequestFraming judgeFraming(const HttpRequest& request, std::string_view head,
                                          std::uint64_t bodyBytesMax);

/// Whether the connection stays open after the answer (RFC 9112 9.3).
[[nodiscard]] bool wantsKeepAlive(const HttpRequest& request);

}  // namespace stormo
