#include "protocol/http/response_head.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "protocol/http/http_response.h"
#include "protocol/text/ascii.h"
#include "protocol/text/decimal.h"
#include "protocol/websocket/extensions.h"

namespace stormo {
namespace {

bool isSetByUs(std::string_view name) {
  constexpr std::string_view kNames[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                         "Date"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view own) { return equalsIgnoringCase(name, own); });
}

}  // namespace

void appendHeaderLine(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void appendResponseHead(const ResponseHead& head, std::string& out) {
  out.append("HTTP/1.1 ");
  appendDecimal(head.status, out);
  out.append(" ").append(httpReason(head.status)).append("\r\n");
  if (!head.contentType.empty()) appendHeaderLine("Content-Type", head.contentType, out);
  out.append(head.headers);
  if (head.framing == ResponseFraming::Length) {
    out.append("Content-Length: ");
    appendDecimal(head.bodyBytes, out);
    out.append("\r\n");
  } else if (head.framing == ResponseFraming::Chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!head.connection.empty()) appendHeaderLine("Connection", head.connection, out);
  appendHeaderLine("Date", head.date, out);
  out.append("\r\n");
}

const char* complaintOfResponseHeader(std::string_view name, std::string_view value) {
  if (!websocket::isToken(name)) return "has no valid name";
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return "has a value of more than one line";
  }
  return isSetByUs(name) ? "is set by the library" : nullptr;
}

void appendChunkSize(std::size_t bytes, std::string& out) {
  char digits[16];
  const char* const end = std::to_chars(digits, std::end(digits), bytes, 16).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits)).append("\r\n");
}

std::string httpDate(std::time_t time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

}  // namespace stormo
