#include "protocol/http/http_request.h"

#include <algorithm>
#include <utility>

#include "protocol/http/head_parser.h"
#include "protocol/http/header_fields.h"
#include "protocol/http/percent.h"
#include "protocol/text/ascii.h"

namespace stormo {
namespace {

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

class RequestParser final : public HeadParser<true> {
 public:
  HttpRequest takeRequest() {
    request_.headers = std::move(headers_);
    return std::move(request_);
  }

 private:
  void on_request_impl(boost::beast::http::verb, View method, View target, int version,
                       ErrorCode&) override {
    request_.method = toString(method);
    request_.target = toString(target);
    request_.versionMinor = version % 10;
  }
  void on_header_impl(ErrorCode&) override { splitTarget(request_); }
  void on_response_impl(int, View, int, ErrorCode&) override {}

  HttpRequest request_;
};

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
  return headerValue(headers, name);
}

std::size_t HttpRequest::headerCount(std::string_view name) const {
  return stormo::headerCount(headers, name);
}

bool HttpRequest::hasToken(std::string_view name, std::string_view token) const {
  return headerHasToken(headers, name, token);
}

HeadDecode decodeHead(std::string_view in, std::size_t headBytesMax, HttpRequest& out,
                      std::size_t& headBytes, std::size_t judged) {
  std::string_view seen = in.substr(0, headBytesMax);
  const HeadDecode undecided = undecidedHead(in, headBytesMax);
  if (undecided == HeadDecode::NeedMore && !isWorthParsing(seen, judged)) return undecided;
  // Old clients send one empty line. More of them would be searched again at each arrival.
  const std::size_t skipped = seen.starts_with(kLineEnd) ? kLineEnd.size() : 0;
  seen.remove_prefix(skipped);
  if (kLineEnd.starts_with(seen)) return undecided;
  RequestParser parser;
  const HeadDecode verdict = parseHead(parser, seen, undecided, headBytes);
  if (verdict != HeadDecode::Ok) return verdict;
  headBytes += skipped;
  out = parser.takeRequest();
  return verdict;
}

}  // namespace stormo
