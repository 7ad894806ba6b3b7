#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stormo {

/// One header field. The value has no white space around it.
struct HttpHeader {
  std::string name;  ///< As it was written; names are compared without regard to case.
  std::string value;
};

/// The head of an HTTP/1.x request. Owns its strings.
struct HttpRequest {
  std::string method;  ///< Case-sensitive: "GET".
  std::string target;  ///< As it was sent: "/chat?room=1".
  std::string path;  ///< The target without its query, and without "http://host" if it had one. Not
                     ///< percent-decoded.
  std::string query;                ///< What follows the '?', not decoded; empty if there is none.
  int versionMinor = 1;             ///< HTTP/1.x
  std::vector<HttpHeader> headers;  ///< In the order in which they came, repetitions too.

  /// The first value under that name, or an empty view. Valid until `headers` changes.
  [[nodiscard]] std::string_view header(std::string_view name) const;

  /// How many fields bear that name.
  [[nodiscard]] std::size_t headerCount(std::string_view name) const;

  /// True if one of the fields of that name, each a comma-separated list, holds the token. Tokens
  /// are compared without regard to case (Connection, Upgrade; RFC 7230 6.1, 6.7).
  [[nodiscard]] bool hasToken(std::string_view name, std::string_view token) const;
};

}  // namespace stormo
