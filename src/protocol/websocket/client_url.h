#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::websocket {

/// The parts of a `ws://` or `wss://` URL (RFC 6455 3).
struct ClientUrl {
  bool secure = false;       ///< `wss`.
  std::string host;          ///< A name, an IPv4 address, or an IPv6 address without brackets.
  std::uint16_t port = 80;   ///< Not zero.
  std::string target = "/";  ///< Path and query, for the request line.

  /// The value of the Host header: an IPv6 address has brackets, a default port is omitted
  /// (RFC 6455 4.1).
  [[nodiscard]] std::string authority() const;
};

/// True if the scheme is `ws` or `wss`, in any case.
[[nodiscard]] bool hasClientScheme(std::string_view url);

/// Throws std::invalid_argument with a sentence that names the error and the correct form.
[[nodiscard]] ClientUrl parseClientUrl(std::string_view url);

}  // namespace stormo::websocket
