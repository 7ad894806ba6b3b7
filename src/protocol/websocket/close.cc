#include "protocol/websocket/close.h"

#include "base/bytes.h"
#include "protocol/text/utf8.h"
#include "protocol/websocket/frame.h"

namespace stormo::websocket {
namespace {

constexpr std::size_t kCodeBytes = 2;

}  // namespace

bool isValidOnWire(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;  // libraries, and private use
  if (code >= 1007) return code <= 1014;
  return code >= 1000 && code <= 1003;  // 1004 to 1006 are reserved
}

CloseFrame decodeClose(std::string_view payload) {
  if (payload.empty()) return {.valid = true, .code = CloseCode::NoStatus, .reason = {}};
  const auto broken = [](CloseCode code, const char* violation) {
    return CloseFrame{.valid = false, .code = code, .reason = {}, .violation = violation};
  };
  if (payload.size() < kCodeBytes) {
    return broken(CloseCode::ProtocolError, "close frame with half a code");
  }
  const auto code = loadBigEndian<std::uint16_t>(payload.data());
  if (!isValidOnWire(code))
    return broken(CloseCode::ProtocolError, "close frame with invalid code");
  const std::string_view reason = payload.substr(kCodeBytes);
  if (!isUtf8(reason)) return broken(CloseCode::InvalidPayload, "close reason is not UTF-8");
  return {.valid = true, .code = static_cast<CloseCode>(code), .reason = reason};
}

std::string encodeClosePayload(CloseCode code, std::string_view reason) {
  const auto number = static_cast<std::uint16_t>(code);
  if (!isValidOnWire(number)) return {};
  std::string payload(kCodeBytes, '\0');
  storeBigEndian(payload.data(), number);
  payload += cutBetweenCharacters(reason, kControlPayloadBytesMax - kCodeBytes);
  return payload;
}

}  // namespace stormo::websocket
