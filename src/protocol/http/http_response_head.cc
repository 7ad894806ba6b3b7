#include "protocol/http/http_response_head.h"

#include <utility>

#include "protocol/http/head_parser.h"

namespace stormo {
namespace {

constexpr std::string_view kBegin = "HTTP/1.";

class ResponseParser final : public HeadParser<false> {
 public:
  HttpResponseHead takeResponse() {
    response_.headers = std::move(headers_);
    return std::move(response_);
  }

 private:
  void on_response_impl(int status, View, int version, ErrorCode&) override {
    response_.status = status;
    response_.versionMinor = version % 10;
  }
  void on_header_impl(ErrorCode&) override {}
  void on_request_impl(boost::beast::http::verb, View, View, int, ErrorCode&) override {}

  HttpResponseHead response_;
};

}  // namespace

HeadDecode decodeResponseHead(std::string_view in, std::size_t headBytesMax, HttpResponseHead& out,
                              std::size_t& headBytes, std::size_t judged) {
  const std::string_view seen = in.substr(0, headBytesMax);
  // The parser waits for a whole status line: a peer of another protocol may not send one.
  if (!kBegin.starts_with(seen.substr(0, kBegin.size()))) return HeadDecode::Bad;
  const HeadDecode undecided = undecidedHead(in, headBytesMax);
  if (undecided == HeadDecode::NeedMore && !isWorthParsing(seen, judged)) return undecided;
  if (seen.empty()) return undecided;
  ResponseParser parser;
  const HeadDecode verdict = parseHead(parser, seen, undecided, headBytes);
  if (verdict == HeadDecode::Ok) out = parser.takeResponse();
  return verdict;
}

}  // namespace stormo
