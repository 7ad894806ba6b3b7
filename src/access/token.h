#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/rights.h"

namespace stormo::access {

/// Seconds since 1970 (RFC 7519 2, NumericDate), a fraction of a second omitted.
using UnixSeconds = std::int64_t;

/// The claims of a token (RFC 7519 4.1, and three of our own).
struct Token {
  std::string user;                      ///< `sub`: 1 to 253 bytes without control characters.
  std::string id;                        ///< `jti`; empty if it has none.
  std::string issuer;                    ///< `iss`; empty if it has none.
  std::vector<std::string> audience;     ///< `aud`: a string or a list of them.
  std::optional<UnixSeconds> expires;    ///< `exp`
  std::optional<UnixSeconds> notBefore;  ///< `nbf`
  std::optional<UnixSeconds> issued;     ///< `iat`
  std::string info;  ///< `info`: the JSON text of an object, or empty if it has none.
  std::vector<std::string> groups;  ///< `groups`: joined at connect. Numbers become text.
  /// `rights`: a list of {"groups": pattern, "may": ["join", …]}; without "may", all. Groups of
  /// `groups` may be joined anyway.
  Rights rights;
};

/// Reads the claims. Nothing if they are no JSON object, or one above is missing or of another
/// type; `wrong` is then the name of that claim, or empty. Other claims are ignored.
[[nodiscard]] std::optional<Token> readClaims(std::string_view json, std::string& wrong);

}  // namespace stormo::access
