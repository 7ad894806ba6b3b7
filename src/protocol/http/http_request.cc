#include "protocol/http/http_request.h"

#include <algorithm>
#include <bit>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <utility>

#include "protocol/text/ascii.h"

namespace stormo {
namespace {

namespace http = boost::beast::http;

std::string toString(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// Sets path and query from the target. The absolute form is to be understood by every server
/// (RFC 7230 5.3.2).
void splitTarget(HttpRequest& request) {
  std::string_view rest = request.target;
  if (!rest.starts_with('/')) {
    if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
      rest.remove_prefix(scheme + 3);
      rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
    }
  }
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  request.path = rest.substr(0, mark);
  request.query = rest.substr(std::min(mark + 1, rest.size()));
  if (request.path.empty()) request.path = "/";
}

/// Beast's parser, filling our request: its own message type does not keep the order of the fields.
class HeadParser final : public http::basic_parser<true> {
 public:
  HttpRequest request;

 private:
  using View = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  void on_request_impl(http::verb, View method, View target, int version, ErrorCode&) override {
    request.method = toString(method);
    request.target = toString(target);
    request.versionMinor = version % 10;
  }
  void on_field_impl(http::field, View name, View value, ErrorCode&) override {
    request.headers.push_back({toString(name), toString(value)});
  }
  void on_header_impl(ErrorCode&) override { splitTarget(request); }

  // Of responses and bodies, which do not come here.
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(View, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}
};

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

/// False if the parser would ask for more, as it did after the first `judged` bytes.
bool isWorthParsing(std::string_view in, std::size_t judged) {
  if (std::bit_width(in.size()) > std::bit_width(judged)) return true;
  const std::size_t overlap = std::min(judged, kHeadEnd.size() - 1);
  return in.find(kHeadEnd, judged - overlap) != std::string_view::npos;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const HttpHeader& field : headers) {
    if (equalsIgnoringCase(field.name, name)) return field.value;
  }
  return {};
}

std::size_t HttpRequest::headerCount(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const HttpHeader& field) { return equalsIgnoringCase(field.name, name); }));
}

bool HttpRequest::hasToken(std::string_view name, std::string_view token) const {
  for (const HttpHeader& field : headers) {
    if (!equalsIgnoringCase(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (equalsIgnoringCase(takeListItem(rest), token)) return true;
    }
  }
  return false;
}

HeadDecode decodeHead(std::string_view in, std::size_t headBytesMax, HttpRequest& out,
                      std::size_t& headBytes, std::size_t judged) {
  std::string_view seen = in.substr(0, headBytesMax);
  const HeadDecode undecided =
      in.size() < headBytesMax ? HeadDecode::NeedMore : HeadDecode::TooLarge;
  if (undecided == HeadDecode::NeedMore && !isWorthParsing(seen, judged)) return undecided;
  // More than one empty line is no habit of old clients, and would be searched again and again.
  const std::size_t skipped = seen.starts_with(kLineEnd) ? kLineEnd.size() : 0;
  seen.remove_prefix(skipped);
  if (kLineEnd.starts_with(seen)) return undecided;
  HeadParser parser;
  parser.skip(true);  // the body is the caller's
  // The limit is ours: the parser's own does not count every byte.
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());

  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(seen.data(), seen.size()), error);
  if (error == http::error::need_more || (!error && !parser.is_header_done())) return undecided;
  if (error) return HeadDecode::Bad;
  out = std::move(parser.request);
  headBytes = skipped + used;
  return HeadDecode::Ok;
}

}  // namespace stormo
