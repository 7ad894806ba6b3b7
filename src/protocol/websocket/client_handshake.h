#pragma once

#include <stormo/http_request.h>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "protocol/http/http_response_head.h"
#include "protocol/websocket/deflate_negotiation.h"

namespace stormo::websocket {

/// The opening handshake of a client, without its key.
struct UpgradeRequest {
  std::string target = "/";
  std::string host = "localhost";        ///< The value of the Host header.
  std::vector<HttpHeader> headers = {};  ///< In addition. A Host among them replaces `host`.
  std::vector<std::string> subprotocols = {};
  std::optional<DeflateParameters> deflate = {};  ///< Nothing: compression is not offered.

  /// The request (RFC 6455 4.1). `key` is 16 bytes in base64.
  [[nodiscard]] std::string withKey(std::string_view key) const;
};

/// Throws std::invalid_argument if a header or a subprotocol cannot be sent: see
/// complaintOfHeader(). Subprotocols are tokens, each of them once (RFC 6455 4.1).
void requireValid(const UpgradeRequest& request);

/// What a client finds in the answer to its request.
struct UpgradeAnswer {
  /// Of webSocketHandshakeCategory(). Nothing: the server has accepted.
  std::error_code error = {};
  std::string subprotocol = {};                   ///< Empty: the server chose none.
  std::optional<DeflateParameters> deflate = {};  ///< Nothing: messages are not compressed.
};

/// Checks the answer to a request with the key for which the server's key is `acceptKey`. Each
/// case in which a client fails the connection (RFC 6455 4.1) is an error.
[[nodiscard]] UpgradeAnswer judgeAnswer(const HttpResponseHead& answer,
                                        const UpgradeRequest& request, std::string_view acceptKey);

}  // namespace stormo::websocket
