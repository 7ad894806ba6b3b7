#pragma once

#include <stormo/http_request.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::websocket {

/// True for a token of HTTP (RFC 9110 5.6.2): of a header's name, a subprotocol, an extension.
[[nodiscard]] bool isToken(std::string_view text);

/// `; name` or `; name=value`. A quoted value is stored without its quotes.
struct ExtensionParameter {
  std::string name;
  std::optional<std::string> value = {};
  bool operator==(const ExtensionParameter&) const = default;
};

/// One element of Sec-WebSocket-Extensions: in a request an offer, in a response an agreement.
struct Extension {
  std::string name;
  std::vector<ExtensionParameter> parameters = {};  ///< In the order sent, with repetitions.
  bool operator==(const Extension&) const = default;
};

/// Parses the values of all Sec-WebSocket-Extensions fields among `headers`, which count as one
/// list (RFC 6455 9.1). Empty if there is no such field. Nothing if a value does not conform to the
/// grammar: then the handshake fails (RFC 6455 9.1).
[[nodiscard]] std::optional<std::vector<Extension>> parseExtensions(
    const std::vector<HttpHeader>& headers);

}  // namespace stormo::websocket
