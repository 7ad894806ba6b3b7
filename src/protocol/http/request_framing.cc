#include "protocol/http/request_framing.h"

#include <charconv>
#include <optional>

#include "protocol/text/ascii.h"

namespace stormo {
namespace {

RequestFraming refused(int status, const char* reason) {
  return {.refusal = status, .reason = reason};
}

/// Continuation lines (RFC 9112 5.2), which parsers join in different ways.
bool hasFoldedLine(std::string_view head) {
  for (std::size_t end = head.find('\n'); end + 1 < head.size(); end = head.find('\n', end + 1)) {
    if (head[end + 1] == ' ' || head[end + 1] == '\t') return true;
  }
  return false;
}

/// 1*DIGIT, and nothing else: no sign, no list.
std::optional<std::uint64_t> parseLength(std::string_view text) {
  std::uint64_t length = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

struct Fields {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  std::size_t expectations = 0;
  std::string_view host, length, encoding, expectation;  // the last of each
};

Fields fieldsOf(const HttpRequest& request) {
  Fields found;
  const auto note = [](const HttpHeader& field, std::string_view name, std::size_t& count,
                       std::string_view& value) {
    if (field.name.size() != name.size() || !equalsIgnoringCase(field.name, name)) return;
    ++count;
    value = field.value;
  };
  for (const HttpHeader& field : request.headers) {
    note(field, "Host", found.hosts, found.host);
    note(field, "Content-Length", found.lengths, found.length);
    note(field, "Transfer-Encoding", found.encodings, found.encoding);
    note(field, "Expect", found.expectations, found.expectation);
  }
  return found;
}

RequestFraming judgeEncoding(const HttpRequest& request, const Fields& fields) {
  if (request.versionMinor == 0) return refused(400, "HTTP/1.0 has no Transfer-Encoding");
  if (fields.encodings > 1) return refused(400, "there must be one Transfer-Encoding");
  if (!equalsIgnoringCase(fields.encoding, "chunked")) {
    // "chunked, chunked" and "chunked, gzip" have no end that all agree on (RFC 9112 6.1).
    std::string_view first = fields.encoding;
    const bool isMalformed =
        fields.encoding.empty() || equalsIgnoringCase(takeListItem(first), "chunked");
    if (isMalformed) return refused(400, "chunked must be the last transfer coding");
    return refused(501, "the only transfer coding is chunked");
  }
  return {.isChunked = true};
}

}  // namespace

RequestFraming judgeFraming(const HttpRequest& request, std::string_view head,
                            std::uint64_t bodyBytesMax) {
  const Fields fields = fieldsOf(request);
  if (hasFoldedLine(head)) return refused(400, "a header has more than one line");
  if (fields.hosts > 1 || (fields.hosts == 0 && request.versionMinor > 0)) {
    return refused(400, "there must be one Host");  // RFC 9112 3.2
  }
  if (fields.lengths > 0 && fields.encodings > 0) {
    return refused(400, "there must not be both Content-Length and Transfer-Encoding");
  }
  RequestFraming framing;
  if (fields.encodings > 0) {
    framing = judgeEncoding(request, fields);
  } else if (fields.lengths > 1) {
    return refused(400, "there must be one Content-Length");
  } else if (fields.lengths == 1) {
    const auto length = parseLength(fields.length);
    if (!length) return refused(400, "Content-Length must be a number");
    if (*length > bodyBytesMax) return refused(413, "the request's body is too long");
    framing.bodyBytes = *length;
  }
  if (framing.refusal != 0 || fields.expectations == 0 || request.versionMinor == 0) return framing;
  if (fields.expectations > 1 || !equalsIgnoringCase(fields.expectation, "100-continue")) {
    return refused(417, "the only expectation is 100-continue");
  }
  framing.expectsContinue = framing.isChunked || framing.bodyBytes > 0;
  return framing;
}

bool wantsKeepAlive(const HttpRequest& request) {
  if (request.versionMinor == 0) {
    return request.hasToken("Connection", "keep-alive") && !request.hasToken("Connection", "close");
  }
  return !request.hasToken("Connection", "close");
}

}  // namespace stormo
