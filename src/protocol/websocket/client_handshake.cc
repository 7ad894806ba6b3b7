#include "protocol/websocket/client_handshake.h"

#include <algorithm>
#include <stdexcept>

#include "protocol/http/header_fields.h"
#include "protocol/text/ascii.h"
#include "protocol/websocket/extensions.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/handshake_error.h"

namespace stormo::websocket {
namespace {

constexpr int kSwitchingProtocols = 101;
constexpr const char* kSubprotocol = "Sec-WebSocket-Protocol";
constexpr const char* kExtensions = "Sec-WebSocket-Extensions";

void appendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

std::string joined(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) {
    if (!list.empty()) list += ", ";
    list += item;
  }
  return list;
}

/// The value of a field that the answer must have once.
bool isOnce(const HttpResponseHead& answer, std::string_view name) {
  return headerCount(answer.headers, name) == 1;
}

std::error_code judgeUpgrade(const HttpResponseHead& answer, std::string_view acceptKey) {
  if (answer.status != kSwitchingProtocols) return {answer.status, webSocketHandshakeCategory()};
  if (answer.versionMinor < 1) return HandshakeError::NotHttp;
  // The whole value, and not one of a list, as RFC 6455 4.1 says.
  if (!isOnce(answer, "Upgrade") ||
      !equalsIgnoringCase(headerValue(answer.headers, "Upgrade"), "websocket")) {
    return HandshakeError::NoUpgrade;
  }
  if (!headerHasToken(answer.headers, "Connection", "Upgrade")) {
    return HandshakeError::NoConnection;
  }
  constexpr const char* kAccept = "Sec-WebSocket-Accept";
  if (!isOnce(answer, kAccept) || headerValue(answer.headers, kAccept) != acceptKey) {
    return HandshakeError::WrongAccept;
  }
  return {};
}

bool isOffered(const HttpResponseHead& answer, const std::vector<std::string>& offered) {
  if (headerCount(answer.headers, kSubprotocol) == 0) return true;
  return isOnce(answer, kSubprotocol) &&
         std::ranges::find(offered, headerValue(answer.headers, kSubprotocol)) != offered.end();
}

}  // namespace

std::string UpgradeRequest::withKey(std::string_view key) const {
  std::string out = "GET " + target + " HTTP/1.1\r\n";
  if (headerCount(headers, "Host") == 0) appendField(out, "Host", host);
  appendField(out, "Upgrade", "websocket");
  appendField(out, "Connection", "Upgrade");
  appendField(out, "Sec-WebSocket-Key", key);
  appendField(out, "Sec-WebSocket-Version", "13");
  if (!subprotocols.empty()) appendField(out, kSubprotocol, joined(subprotocols));
  if (deflate) appendField(out, kExtensions, deflateHeader(*deflate));
  for (const HttpHeader& each : headers) appendField(out, each.name, each.value);
  return out.append("\r\n");
}

void requireValid(const UpgradeRequest& request) {
  for (const HttpHeader& each : request.headers) {
    const char* const complaint = complaintOfHeader(each.name, each.value);
    if (complaint != nullptr) {
      throw std::invalid_argument("the header '" + each.name + "' " + complaint);
    }
  }
  if (headerCount(request.headers, "Host") > 1) {
    throw std::invalid_argument("the header 'Host' is there more than once");
  }
  for (auto each = request.subprotocols.begin(); each != request.subprotocols.end(); ++each) {
    if (!isToken(*each)) {
      throw std::invalid_argument("the subprotocol '" + *each + "' is no token");
    }
    if (std::find(request.subprotocols.begin(), each, *each) != each) {
      throw std::invalid_argument("the subprotocol '" + *each + "' is there more than once");
    }
  }
}

UpgradeAnswer judgeAnswer(const HttpResponseHead& answer, const UpgradeRequest& request,
                          std::string_view acceptKey) {
  if (const auto error = judgeUpgrade(answer, acceptKey)) return {.error = error};
  if (!isOffered(answer, request.subprotocols)) return {.error = HandshakeError::Subprotocol};
  const auto extensions = parseExtensions(answer.headers);
  if (!extensions || (!request.deflate && !extensions->empty())) {
    return {.error = HandshakeError::Extension};
  }
  UpgradeAnswer accepted{.subprotocol = std::string(headerValue(answer.headers, kSubprotocol))};
  if (!request.deflate) return accepted;
  const DeflateAnswer agreed = checkDeflateAnswer(*request.deflate, *extensions);
  if (!agreed.valid) return {.error = HandshakeError::Extension};
  accepted.deflate = agreed.agreed;
  return accepted;
}

}  // namespace stormo::websocket
