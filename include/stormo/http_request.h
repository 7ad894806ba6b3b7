#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

/// One header field. White space around the value is removed.
struct HttpHeader {
  std::string name;  ///< As it was sent. Names are compared without regard to case.
  std::string value;
};

/// An HTTP/1.x request (RFC 9112). Owns its strings.
struct HttpRequest {
  std::string method;  ///< Case-sensitive: "GET".
  std::string target;  ///< As it was sent: "/chat?room=1".
  /// The target without its query, and without "http://host" if it had one. Not percent-decoded.
  std::string path;
  std::string query;     ///< The target after the '?', not decoded; empty if there is none.
  int versionMinor = 1;  ///< The x of HTTP/1.x.
  std::vector<HttpHeader> headers;  ///< In the order in which they were sent, with repetitions.
  /// The whole body, without the framing of chunks. Trailer fields are dropped. Empty for the
  /// opening handshake of WebSocket.
  std::string body;

  /// The value of one parameter of the query: "room" of "/chat?room=1&name=Ada+L". The query is
  /// `name=value` pairs between '&'. Names and values are percent-decoded (RFC 3986 2.1) and a '+'
  /// becomes a space, as pages and PHP encode them; the result may hold any byte. The first of
  /// equal names counts. A name without '=' has an empty value. A pair with an invalid escape
  /// ("%4", "%zz") is ignored. Nothing if there is no such parameter.
  [[nodiscard]] std::optional<std::string> queryValue(std::string_view name) const;

  /// The value of one cookie (RFC 6265 4.2.1), in all Cookie headers. Names are compared byte by
  /// byte. The first of equal names counts: browsers send that of the longest path first. Quotes
  /// around the value are removed, and it is percent-decoded; '+' stays. RFC 6265 gives '%' no
  /// meaning: a value with an invalid escape is returned as it was sent. Nothing if there is no
  /// such cookie.
  [[nodiscard]] std::optional<std::string> cookie(std::string_view name) const;

  /// The first value with that name, or an empty view. Valid until `headers` changes.
  [[nodiscard]] std::string_view header(std::string_view name) const;

  /// The number of header fields with that name.
  [[nodiscard]] std::size_t headerCount(std::string_view name) const;

  /// True if a field with that name, a comma-separated list, contains the token. Tokens are
  /// compared without regard to case (Connection, Upgrade; RFC 9110 7.6.1, 7.8).
  [[nodiscard]] bool hasToken(std::string_view name, std::string_view token) const;
};

}  // namespace stormo
