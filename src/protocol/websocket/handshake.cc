#include "protocol/websocket/handshake.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "protocol/text/ascii.h"
#include "protocol/text/base64.h"
#include "protocol/websocket/extensions.h"

namespace stormo::websocket {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3

bool isBase64Digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/// 16 bytes in base64 are 22 digits and two of padding (RFC 4648 4).
bool isKey(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, isBase64Digit);
}

/// True for headers of the upgrade itself, and those that would announce a body.
bool isSetByUs(std::string_view name) {
  constexpr std::string_view kPrefix = "Sec-WebSocket-";
  constexpr std::string_view kNames[] = {"Upgrade", "Connection", "Content-Length",
                                         "Transfer-Encoding"};
  return equalsIgnoringCase(name.substr(0, kPrefix.size()), kPrefix) ||
         std::ranges::any_of(kNames,
                             [&](std::string_view own) { return equalsIgnoringCase(name, own); });
}

}  // namespace

std::string acceptKey(std::string_view key) {
  std::string text(key);
  text.append(kGuid);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);

  std::string encoded;
  appendBase64({reinterpret_cast<const char*>(digest), SHA_DIGEST_LENGTH}, encoded);
  return encoded;
}

HandshakeVerdict judgeUpgrade(const HttpRequest& request) {
  if (request.method != "GET") return {405, "the method must be GET"};
  if (!request.hasToken("Upgrade", "websocket")) return {426, "this is a WebSocket service"};
  if (request.versionMinor < 1) return {400, "an upgrade needs HTTP/1.1"};
  if (!request.hasToken("Connection", "Upgrade")) return {400, "Connection must name Upgrade"};
  if (request.headerCount("Host") != 1 || request.header("Host").empty()) {
    return {400, "there must be one Host"};
  }
  // Before the key: the answer to an old client that lacks both states the right version.
  if (request.headerCount("Sec-WebSocket-Version") > 1) {
    return {400, "there must be one Sec-WebSocket-Version"};  // RFC 6455 11.3.5
  }
  if (request.header("Sec-WebSocket-Version") != "13") {
    return {426, "Sec-WebSocket-Version must be 13"};
  }
  if (request.headerCount("Sec-WebSocket-Key") != 1 ||
      !isKey(request.header("Sec-WebSocket-Key"))) {
    return {400, "there must be one Sec-WebSocket-Key of 16 bytes"};  // RFC 6455 11.3.1
  }
  return {101, ""};
}

std::string chooseSubprotocol(const HttpRequest& request,
                              const std::vector<std::string>& supported) {
  for (const HttpHeader& field : request.headers) {
    if (!equalsIgnoringCase(field.name, "Sec-WebSocket-Protocol")) continue;
    std::string_view offers = field.value;
    while (!offers.empty()) {
      const std::string_view offer = takeListItem(offers);
      if (std::find(supported.begin(), supported.end(), offer) != supported.end()) {
        return std::string(offer);
      }
    }
  }
  return {};
}

const char* complaintOfHeader(std::string_view name, std::string_view value) {
  if (!isToken(name)) return "has no valid name";
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return "has a value of more than one line";
  }
  return isSetByUs(name) ? "is set by the handshake itself" : nullptr;
}

void requireRefusal(int status) {
  if (status >= 400 && status <= 599) return;
  throw std::invalid_argument("a handshake is refused with a status from 400 to 599, not " +
                              std::to_string(status));
}

std::string upgradeResponse(std::string_view acceptKey, std::string_view subprotocol,
                            const std::vector<HttpHeader>& headers, std::string_view extensions) {
  if (!subprotocol.empty() && !isToken(subprotocol)) {
    throw std::invalid_argument("the subprotocol '" + std::string(subprotocol) + "' is no token");
  }
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out.append(acceptKey).append("\r\n");
  if (!subprotocol.empty()) {
    out.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  }
  if (!extensions.empty()) {
    out.append("Sec-WebSocket-Extensions: ").append(extensions).append("\r\n");
  }
  for (const HttpHeader& header : headers) {
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return out.append("\r\n");
}

}  // namespace stormo::websocket

namespace stormo {

void WebSocketHandshake::addHeader(std::string_view name, std::string_view value) {
  if (const char* const complaint = websocket::complaintOfHeader(name, value)) {
    throw std::invalid_argument("the header '" + std::string(name) + "' " + complaint);
  }
  headers_.push_back({std::string(name), std::string(value)});
}

void WebSocketHandshake::refuse(int status, std::string_view text) {
  websocket::requireRefusal(status);
  refusedWith_ = status;
  refusalText_ = std::string(text);
}

}  // namespace stormo
