#include "protocol/http/http_response.h"

namespace stormo {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr Reason kReasons[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

bool isOneLine(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void appendHeader(std::string& out, std::string_view name, std::string_view value) {
  if (!isOneLine(name) || !isOneLine(value)) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view httpReason(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.phrase;
  }
  return "Unknown";
}

std::string httpResponse(int status, std::string_view contentType, std::string_view body,
                         bool headOnly, const std::vector<HttpHeader>& extraHeaders) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + ' ';
  out.append(httpReason(status)).append("\r\n");
  if (!contentType.empty()) appendHeader(out, "Content-Type", contentType);
  appendHeader(out, "Content-Length", std::to_string(body.size()));
  // Upgrade is a hop-by-hop header, so Connection must name it (RFC 9110 7.8).
  appendHeader(out, "Connection", status == 426 ? "close, Upgrade" : "close");
  for (const HttpHeader& extra : extraHeaders) appendHeader(out, extra.name, extra.value);
  out.append("\r\n");
  if (!headOnly) out.append(body);
  return out;
}

}  // namespace stormo
