#pragma once

#include <cstdint>

namespace stormo {

/// Why a WebSocket was closed (RFC 6455 7.4.1 and the IANA registry). Any number of 16 bits fits: a
/// peer's own codes (4000 to 4999) and those of libraries (3000 to 3999) are cast to this type.
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,  ///< The server shuts down, or the page was left.
  ProtocolError = 1002,
  UnsupportedData = 1003,
  NoStatus = 1005,        ///< Never on the wire: the peer's close frame named no code.
  Abnormal = 1006,        ///< Never on the wire: the connection ended without a close frame.
  InvalidPayload = 1007,  ///< A text message that is not UTF-8.
  PolicyViolation = 1008,
  TooBig = 1009,
  InternalError = 1011,
  ServiceRestart = 1012,
  TryAgainLater = 1013,
};

}  // namespace stormo
