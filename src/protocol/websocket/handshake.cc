#include "protocol/websocket/handshake.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>

#include "protocol/text/ascii.h"
#include "protocol/text/base64.h"

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
  // Before the key: an old client that lacks both learns which version to speak.
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

std::string upgradeResponse(std::string_view acceptKey, std::string_view subprotocol) {
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out.append(acceptKey).append("\r\n");
  if (!subprotocol.empty()) {
    out.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  }
  return out.append("\r\n");
}

}  // namespace stormo::websocket
