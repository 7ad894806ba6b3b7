#include "protocol/websocket/handshake_error.h"

#include <string>

#include "protocol/http/http_response.h"

namespace stormo {
namespace {

using websocket::HandshakeError;

constexpr int kStatusMin = 100;

std::string statusText(int status) {
  const std::string_view reason = httpReason(status);
  std::string text = "the server answered " + std::to_string(status);
  if (reason != "Unknown") text.append(" ").append(reason);
  return text;
}

const char* textOf(HandshakeError error) {
  switch (error) {
    case HandshakeError::Ended:
      return "the server closed the connection before its answer was complete";
    case HandshakeError::NotHttp:
      return "the server did not answer with HTTP/1.1";
    case HandshakeError::HeadTooLong:
      return "the head of the server's answer is longer than headBytesMax";
    case HandshakeError::NoUpgrade:
      return "the server answered 101 without 'Upgrade: websocket'";
    case HandshakeError::NoConnection:
      return "the server answered 101 without 'Connection: Upgrade'";
    case HandshakeError::WrongAccept:
      return "the server answered 101 without the Sec-WebSocket-Accept for the request's key";
    case HandshakeError::Subprotocol:
      return "the server chose a subprotocol that was not offered";
    case HandshakeError::Extension:
      return "the server chose an extension, or parameters of one, that was not offered";
  }
  return "unknown error";
}

class HandshakeCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "websocket handshake"; }
  [[nodiscard]] std::string message(int value) const override {
    return value >= kStatusMin ? statusText(value) : textOf(static_cast<HandshakeError>(value));
  }
};

}  // namespace

const std::error_category& webSocketHandshakeCategory() {
  static const HandshakeCategory kCategory;
  return kCategory;
}

}  // namespace stormo
