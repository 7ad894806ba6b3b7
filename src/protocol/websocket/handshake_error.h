#pragma once

#include <stormo/websocket.h>

#include <system_error>

namespace stormo::websocket {

/// What is wrong with a server's answer to an opening handshake (RFC 6455 4.1). Below 100, as the
/// values of webSocketHandshakeCategory() from 100 on are statuses of HTTP.
enum class HandshakeError {
  Ended = 1,
  NotHttp,
  HeadTooLong,
  NoUpgrade,
  NoConnection,
  WrongAccept,
  Subprotocol,
  Extension,
};

// The name is that which std::error_code looks for.
// NOLINTNEXTLINE(readability-identifier-naming)
inline std::error_code make_error_code(HandshakeError error) {
  return {static_cast<int>(error), webSocketHandshakeCategory()};
}

}  // namespace stormo::websocket

template <>
struct std::is_error_code_enum<stormo::websocket::HandshakeError> : std::true_type {};
