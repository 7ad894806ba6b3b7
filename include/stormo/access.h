#pragma once

#include <stormo/access_rule.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

class Connection;

/// A key that tokens of clients are signed with: exactly one of `secret`, `publicKey` and `keySet`.
struct TokenKey {
  std::string secret = {};     ///< For HS256, HS384 and HS512: at least 32 bytes.
  std::string publicKey = {};  ///< RSA, P-256, P-384 or Ed25519, or a certificate, in PEM format.
  std::string keySet = {};     ///< JSON: a JWK Set (RFC 7517), with any number of public keys.
  /// Of a secret or a public key: the `kid` of its tokens. Empty: those that state none.
  std::string id = {};
  /// Of a secret or a public key: "RS256", for example. Empty: all that the key can be used with.
  std::vector<std::string> algorithms = {};
};

/// Who the clients of a GroupServer are, and what they may do: they prove it by tokens, JSON Web
/// Tokens (RFC 7519). docs/access.md describes their claims.
struct AccessOptions {
  /// Empty: tokens are ignored, and everybody may do everything that `rules` allow. Otherwise a
  /// client may do what its token or a rule states, and nothing without one of them.
  std::vector<TokenKey> keys = {};
  /// True: GroupServer::setKeys() gives further keys later, so tokens are needed also while `keys`
  /// is empty.
  bool moreKeysFollow = false;
  /// Rights that need no token, or less of it. For a group the first that matches decides.
  std::vector<AccessRule> rules = {};
  std::vector<std::string> issuers = {};    ///< A token needs one of them (`iss`). Empty: any.
  std::vector<std::string> audiences = {};  ///< A token needs one of them (`aud`). Empty: any.
  /// Difference of clocks that is tolerated in `exp` and `nbf`.
  std::chrono::seconds leeway{0};
  /// The cookie that holds a token. Empty: cookies are not read. Set WebSocketOptions::origins if
  /// you set this: browsers send cookies for pages of any origin.
  std::string cookie = {};
  /// Time for a client that has connected without a token to send one. Then it is closed, unless a
  /// rule allows Who::Anyone something.
  std::chrono::seconds tokenTimeout{10};
  /// A client is told this long before its token expires, and closed this long after.
  std::chrono::seconds notice{60};
  std::chrono::seconds grace{10};
};

/// The id of a client of a GroupServer, by which the backend reaches it from other processes
/// (Audience::client()): 32 characters of base64url, the same as long as the client is connected.
/// Clients cannot guess those of others. Nothing is stored for it.
[[nodiscard]] std::string clientIdOf(Connection& client);
/// The user of a client, by its token; empty if it has shown none. Valid as long as the connection
/// has no other token.
[[nodiscard]] std::string_view userOf(Connection& client);
/// The info that the backend has set for the client (Backend::setInfo()), else the claim `info` of
/// its token: the JSON text of an object, or empty. Valid as long as userOf(), and until the
/// backend sets another one.
[[nodiscard]] std::string_view infoOf(Connection& client);

}  // namespace stormo
