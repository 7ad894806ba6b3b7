#pragma once

#include <stormo/close_code.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::websocket {

/// True for codes that may be in a close frame (RFC 6455 7.4, and 1012 to 1014 of the IANA
/// registry): not those reserved for local use, nor undefined ones.
[[nodiscard]] bool isValidOnWire(std::uint16_t code);

/// The content of a close frame, or what is wrong with it.
struct CloseFrame {
  bool valid;
  CloseCode code;           ///< Valid: the peer's code, or NoStatus. Else: the code to answer with.
  std::string_view reason;  ///< Valid: the peer's text, in UTF-8, a view into the payload.
  const char* violation = "";  ///< Not valid: what is wrong, a literal.
};

/// Decodes the unmasked payload of a close frame (RFC 6455 5.5.1): empty, or a valid code and
/// UTF-8.
[[nodiscard]] CloseFrame decodeClose(std::string_view payload);

/// The payload of a close frame. Empty for a code that must not be sent. `reason` is UTF-8, and is
/// cut between two characters to fit into a control frame.
[[nodiscard]] std::string encodeClosePayload(CloseCode code, std::string_view reason = {});

}  // namespace stormo::websocket
