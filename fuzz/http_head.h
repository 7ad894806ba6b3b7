#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/http/http_request.h"

/// What the fuzz targets of HTTP heads have in common.
namespace fuzz {

inline constexpr std::size_t kHeadBytesMax = 512;

inline void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Head>
struct Verdict {
  stormo::HeadDecode decode = stormo::HeadDecode::NeedMore;
  Head head = {};
  std::size_t headBytes = 0;
};

/// `decode` calls decodeHead() or decodeResponseHead(). Requires that the verdict is the same for
/// the whole input and byte by byte, and that a head that is accepted ends where it should.
template <typename Head, typename Decode>
Verdict<Head> verdictOf(std::string_view in, const Decode& decode) {
  const auto verdictOn = [&decode](std::string_view part) {
    // A copy of the exact size, so that the sanitizer finds a read beyond its end.
    const std::string copy(part);
    Verdict<Head> verdict;
    verdict.decode = decode(copy, kHeadBytesMax, verdict.head, verdict.headBytes);
    return verdict;
  };
  const Verdict<Head> whole = verdictOn(in);
  Verdict<Head> cut;
  for (std::size_t n = 0; n <= in.size() && cut.decode == stormo::HeadDecode::NeedMore; ++n) {
    cut = verdictOn(in.substr(0, n));
  }
  require(cut.decode == whole.decode);
  require(cut.headBytes == whole.headBytes);
  if (whole.decode != stormo::HeadDecode::Ok) return whole;
  require(whole.headBytes <= kHeadBytesMax && whole.headBytes <= in.size());
  require(in.substr(0, whole.headBytes).ends_with("\r\n\r\n"));
  return whole;
}

}  // namespace fuzz
