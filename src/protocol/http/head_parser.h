#pragma once

#include <algorithm>
#include <bit>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/http_request.h"

namespace stormo {

/// Beast's parser for the head of a request or a response, without its body: Beast's own message
/// types do not keep the order of the fields.
template <bool kIsRequest>
class HeadParser : public boost::beast::http::basic_parser<kIsRequest> {
 protected:
  using View = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  static std::string toString(View text) { return {text.data(), text.size()}; }

  std::vector<HttpHeader> headers_;

 private:
  void on_field_impl(boost::beast::http::field, View name, View value, ErrorCode&) override {
    headers_.push_back({toString(name), toString(value)});
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(View, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}
};

inline constexpr std::string_view kHeadEnd = "\r\n\r\n";

/// False if the parser would need more input, as it did after the first `judged` bytes.
inline bool isWorthParsing(std::string_view in, std::size_t judged) {
  if (std::bit_width(in.size()) > std::bit_width(judged)) return true;
  const std::size_t overlap = std::min(judged, kHeadEnd.size() - 1);
  return in.find(kHeadEnd, judged - overlap) != std::string_view::npos;
}

/// What decodeHead() and decodeResponseHead() return while the head may still be valid.
inline HeadDecode undecidedHead(std::string_view in, std::size_t headBytesMax) {
  return in.size() < headBytesMax ? HeadDecode::NeedMore : HeadDecode::TooLarge;
}

/// Parses the head that is all of `seen`, or a part of it. Writes `headBytes` only when Ok.
template <bool kIsRequest>
HeadDecode parseHead(HeadParser<kIsRequest>& parser, std::string_view seen, HeadDecode undecided,
                     std::size_t& headBytes) {
  namespace http = boost::beast::http;
  parser.skip(true);  // the caller reads the body
  // headBytesMax is the limit: the parser's own one does not count every byte.
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(seen.data(), seen.size()), error);
  if (error == http::error::need_more || (!error && !parser.is_header_done())) return undecided;
  if (error) return HeadDecode::Bad;
  headBytes = used;
  return HeadDecode::Ok;
}

}  // namespace stormo
