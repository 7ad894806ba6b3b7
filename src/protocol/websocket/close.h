#pragma once

#include <stormo/close_code.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::websocket {

/// Which codes a peer may put into a close frame (RFC 6455 7.4, and 1012 to 1014 of the IANA
/// registry): not those reserved for local use, nor those that nobody has defined.
[[nodiscard]] bool isValidOnWire(std::uint16_t code);

/// What a close frame says, or what is wrong with it.
struct CloseFrame {
  bool valid;
  CloseCode code;           ///< Valid: the peer's code, or NoStatus. Else: the code to answer with.
  std::string_view reason;  ///< Valid: the peer's words, in UTF-8, a view into the payload.
  const char* violation = "";  ///< Not valid: a literal.
};

/// Judges the unmasked payload of a close frame (RFC 6455 5.5.1): empty, or a valid code and UTF-8.
[[nodiscard]] CloseFrame decodeClose(std::string_view payload);

/// The payload of a close frame. A code that may not be on the wire gives an empty payload.
/// `reason` is UTF-8; what does not fit into a control frame is cut off, between two characters.
[[nodiscard]] std::string encodeClosePayload(CloseCode code, std::string_view reason = {});

}  // namespace stormo::websocket
