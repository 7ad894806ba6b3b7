#pragma once

#include <cstdint>

namespace stormo {

/// The reason for the end of a WebSocket connection (RFC 6455 7.4.1 and the IANA registry). Other
/// codes are cast to this type: those of applications are 4000 to 4999, those of libraries 3000 to
/// 3999.
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,        ///< The server shuts down, or the user has left the page.
  ProtocolError = 1002,    ///< The peer violated RFC 6455.
  UnsupportedData = 1003,  ///< The peer does not accept this type of data.
  NoStatus = 1005,         ///< Never sent: the peer's close frame had no code.
  Abnormal = 1006,         ///< Never sent: the connection ended without a close frame.
  InvalidPayload = 1007,   ///< A text message that is not UTF-8.
  PolicyViolation = 1008,  ///< A limit or a rule of the application.
  TooBig = 1009,           ///< A message above Worker::maxPackageSize.
  InternalError = 1011,    ///< A handler of the server threw an exception.
  ServiceRestart = 1012,   ///< The worker restarts: connect again.
  TryAgainLater = 1013,    ///< The server is overloaded.
};

}  // namespace stormo
