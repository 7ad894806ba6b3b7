#include "protocol/http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

#include "protocol/http/http_request.h"

namespace stormo {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kTrailersEnd = "\r\n\r\n";
// The size of a chunk, its extensions and the line ends around them: extensions have no use, and
// many small chunks with long ones would cost much for a short body.
constexpr std::size_t kChunkLineBytesMax = 256;
constexpr std::size_t kTrailerBytesMax = 4096;

}  // namespace

/// The body of one request, from its first chunk on: Beast's parser, behind a head that announces
/// it. Beast is given a line between chunks only when it is whole, so it never waits within one.
class RequestReader::Chunks final : public http::basic_parser<true> {
 public:
  enum class Taken { NeedMore, Whole, Malformed, TooLong };

  Chunks(std::string& body, std::uint64_t bodyBytesMax) : bodyBytesMax_(bodyBytesMax) {
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    boost::beast::error_code error;
    put(boost::asio::const_buffer(kHead.data(), kHead.size()), error);
    body_limit(boost::none);  // see on_chunk_header_impl()
    body_ = &body;
  }
  /// The body's place, which may have moved since the last call.
  void writeTo(std::string& body) { body_ = &body; }

  Taken take(std::string_view& in) {
    while (!in.empty()) {
      std::size_t length = std::min<std::uint64_t>(in.size(), chunkBytesLeft_);
      if (length == 0) {
        const auto line = lineLength(in);
        if (!line) return Taken::Malformed;
        if (*line == 0) return Taken::NeedMore;
        length = *line;
      }
      boost::beast::error_code error;
      const std::size_t used = put(boost::asio::const_buffer(in.data(), length), error);
      if (error) return isTooLong_ ? Taken::TooLong : Taken::Malformed;
      in.remove_prefix(used);
      if (is_done()) return Taken::Whole;
    }
    return Taken::NeedMore;
  }

 private:
  using View = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  /// The length of what is between two chunks at the front of `in`, or of the last chunk with the
  /// trailer: 0 if it is not whole, nothing if it is invalid or too long.
  [[nodiscard]] std::optional<std::size_t> lineLength(std::string_view in) const {
    const std::string_view seen = in.substr(0, kChunkLineBytesMax);
    const std::string_view before = isFirst_ ? std::string_view() : kLineEnd;
    if (!seen.starts_with(before.substr(0, seen.size()))) return std::nullopt;
    const std::size_t end = seen.find(kLineEnd, std::min(before.size(), seen.size()));
    if (end == std::string_view::npos) {
      if (seen.size() == kChunkLineBytesMax) return std::nullopt;
      return 0;
    }
    const std::string_view line = seen.substr(before.size(), end - before.size());
    const std::size_t digits = std::min(line.find_first_not_of('0'), line.size());
    const bool isLast = digits > 0 && (digits == line.size() || line[digits] == ';' ||
                                       line[digits] == ' ' || line[digits] == '\t');
    if (!isLast) return end + kLineEnd.size();
    const std::size_t trailersEnd = in.substr(0, end + kTrailerBytesMax).find(kTrailersEnd, end);
    if (trailersEnd != std::string_view::npos) return trailersEnd + kTrailersEnd.size();
    if (in.size() >= end + kTrailerBytesMax) return std::nullopt;
    return 0;
  }

  void on_request_impl(http::verb, View, View, int, ErrorCode&) override {}
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_field_impl(http::field, View, View, ErrorCode&) override {}  // trailers are dropped
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(View, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, View, ErrorCode& error) override {
    isFirst_ = false;
    chunkBytesLeft_ = size;
    isTooLong_ = size > bodyBytesMax_ - body_->size();
    if (isTooLong_) error = http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, View part, ErrorCode&) override {
    body_->append(part.data(), part.size());
    chunkBytesLeft_ -= part.size();
    return part.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  std::string* body_ = nullptr;
  const std::uint64_t bodyBytesMax_;
  std::uint64_t chunkBytesLeft_ = 0;
  bool isFirst_ = true;
  bool isTooLong_ = false;
};

RequestReader::RequestReader() = default;
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

RequestReader::Event RequestReader::next(std::string_view& in, const Limits& limits,
                                         std::size_t judged) {
  if (step_ == Step::Body) return takeBody(in);
  if (step_ == Step::Whole) {
    step_ = Step::Head;
    return Event::Request;
  }
  return nextHead(in, limits, judged);
}

RequestReader::Event RequestReader::nextHead(std::string_view& in, const Limits& limits,
                                             std::size_t judged) {
  switch (decodeHead(in, limits.headBytesMax, request_, headBytes_, judged)) {
    case HeadDecode::NeedMore:
      return Event::NeedMore;
    case HeadDecode::Bad:
      return refuse(400, "not an HTTP request");
    case HeadDecode::TooLarge:
      return refuse(431, "the request's head is too long");
    case HeadDecode::Ok:
      break;
  }
  framing_ = judgeFraming(request_, in.substr(0, headBytes_), limits.bodyBytesMax);
  in.remove_prefix(headBytes_);
  if (framing_.refusal != 0) return refuse(framing_.refusal, framing_.reason);
  const bool hasBody = framing_.isChunked || framing_.bodyBytes > 0;
  step_ = hasBody ? Step::Body : Step::Whole;
  chunks_.reset();
  if (framing_.isChunked) {
    chunks_ = std::make_unique<Chunks>(request_.body, limits.bodyBytesMax);
  }
  return Event::Head;
}

RequestReader::Event RequestReader::takeBody(std::string_view& in) {
  if (chunks_ != nullptr) return takeChunks(in);
  const std::uint64_t left = framing_.bodyBytes - request_.body.size();
  const std::size_t count = std::min<std::uint64_t>(left, in.size());
  request_.body.append(in.substr(0, count));
  in.remove_prefix(count);
  if (count < left) return Event::NeedMore;
  step_ = Step::Head;
  return Event::Request;
}

RequestReader::Event RequestReader::takeChunks(std::string_view& in) {
  chunks_->writeTo(request_.body);
  switch (chunks_->take(in)) {
    case Chunks::Taken::NeedMore:
      return Event::NeedMore;
    case Chunks::Taken::Malformed:
      return refuse(400, "malformed chunks");
    case Chunks::Taken::TooLong:
      return refuse(413, "the request's body is too long");
    case Chunks::Taken::Whole:
      break;
  }
  chunks_.reset();
  step_ = Step::Head;
  return Event::Request;
}

RequestReader::Event RequestReader::refuse(int status, const char* reason) {
  refusal_ = {status, reason};
  return Event::Refused;
}

std::size_t RequestReader::heldBytes() const {
  return isInBody() ? headBytes_ + request_.body.size() : 0;
}

}  // namespace stormo
