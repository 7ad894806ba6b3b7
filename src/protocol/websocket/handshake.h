#pragma once

#include <stormo/websocket.h>

#include <string>
#include <string_view>
#include <vector>

namespace stormo::websocket {

/// The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 4.2.2, step 5.4).
[[nodiscard]] std::string acceptKey(std::string_view key);

/// The answer to a request.
struct HandshakeVerdict {
  /// 101: upgrade. 405: not GET. 426: not an upgrade, or another version of WebSocket; the answer
  /// then has "Upgrade: websocket" and "Sec-WebSocket-Version: 13" (RFC 6455 4.4). 400: a malformed
  /// upgrade.
  int status;
  const char* reason;  ///< A literal, for the body of the refusal.
};

/// Checks an opening handshake (RFC 6455 4.2.1), except its origin, path and subprotocol.
[[nodiscard]] HandshakeVerdict judgeUpgrade(const HttpRequest& request);

/// The first of the client's offers (Sec-WebSocket-Protocol) that is supported, else empty.
[[nodiscard]] std::string chooseSubprotocol(const HttpRequest& request,
                                            const std::vector<std::string>& supported);

/// Why a program cannot add that header to a request or a response of the handshake: a literal that
/// continues "the header 'X' …"; null if it can. The handshake sets Upgrade, Connection and
/// Sec-WebSocket-* itself, and has no body.
[[nodiscard]] const char* complaintOfHeader(std::string_view name, std::string_view value);

/// Throws std::invalid_argument if that HTTP status is no error: not from 400 to 599.
void requireRefusal(int status);

/// The 101 response. `subprotocol` is one that the client offered, or empty for none; throws
/// std::invalid_argument if it is no token. `headers` are those of WebSocketHandshake::addHeader().
/// `extensions` are those that were agreed on, or empty.
[[nodiscard]] std::string upgradeResponse(std::string_view acceptKey, std::string_view subprotocol,
                                          const std::vector<HttpHeader>& headers = {},
                                          std::string_view extensions = {});

}  // namespace stormo::websocket
