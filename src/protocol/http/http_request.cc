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

/// Sets path and query from the target. Every server must accept the absolute form
/// (RFC 9112 3.2.2).
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

/// Beast's parser for our request type: its own message type does not keep the order of the fields.
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

  // Responses and bodies are not parsed.
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(View, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}
};

/// The number that a hexadecimal digit stands for, or -1.
int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = toLowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The bytes that `text` encodes (RFC 3986 2.1). Nothing if an escape is invalid.
std::optional<std::string> percentDecoded(std::string_view text, bool plusIsSpace) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      if (text.size() - at < 3) return std::nullopt;
      const int high = hexDigit(text[at + 1]);
      const int low = hexDigit(text[at + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      out.push_back(plusIsSpace && text[at] == '+' ? ' ' : text[at]);
    }
  }
  return out;
}

/// Removes the text before the first `separator` from `rest` and returns it; all, if there is none.
std::string_view takeUntil(char separator, std::string_view& rest) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

std::string_view withoutQuotes(std::string_view value) {
  const bool isQuoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return isQuoted ? value.substr(1, value.size() - 2) : value;
}

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

/// False if the parser would need more input, as it did after the first `judged` bytes.
bool isWorthParsing(std::string_view in, std::size_t judged) {
  if (std::bit_width(in.size()) > std::bit_width(judged)) return true;
  const std::size_t overlap = std::min(judged, kHeadEnd.size() - 1);
  return in.find(kHeadEnd, judged - overlap) != std::string_view::npos;
}

}  // namespace

std::optional<std::string> HttpRequest::queryValue(std::string_view name) const {
  for (std::string_view rest = query; !rest.empty();) {
    std::string_view value = takeUntil('&', rest);
    const std::string_view pairName = takeUntil('=', value);
    if (percentDecoded(pairName, true) != name) continue;
    if (auto decoded = percentDecoded(value, true)) return decoded;
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::cookie(std::string_view name) const {
  for (const HttpHeader& field : headers) {
    if (!equalsIgnoringCase(field.name, "Cookie")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view pair = takeUntil(';', rest);
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) continue;
      const std::string_view value = withoutQuotes(trimmed(pair.substr(equals + 1)));
      return percentDecoded(value, false).value_or(std::string(value));
    }
  }
  return std::nullopt;
}

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
  // Old clients send one empty line. More of them would be searched again at each arrival.
  const std::size_t skipped = seen.starts_with(kLineEnd) ? kLineEnd.size() : 0;
  seen.remove_prefix(skipped);
  if (kLineEnd.starts_with(seen)) return undecided;
  HeadParser parser;
  parser.skip(true);  // the caller reads the body
  // headBytesMax is the limit: the parser's own one does not count every byte.
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
