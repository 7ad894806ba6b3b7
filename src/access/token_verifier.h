#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/key_set.h"
#include "access/token.h"

namespace stormo::access {

/// Why a token is not accepted.
enum class TokenProblem : std::uint8_t {
  None,
  Malformed,    ///< No token in the compact form of RFC 7515 7.1, or it has extensions (`crit`).
  Algorithm,    ///< `alg` is "none", or unknown, or not one of a key that it may be signed with.
  UnknownKey,   ///< It states a key (`kid`) that is not there, or there are no keys.
  Signature,    ///< Its signature is that of no key.
  Claim,        ///< A claim is missing or malformed.
  Expired,      ///< `exp` has passed.
  NotYetValid,  ///< `nbf` is still to come.
  Issuer,       ///< `iss` is not one of the expected.
  Audience,     ///< `aud` has none of the expected.
};

/// A sentence without a full stop, for clients and logs. It reveals nothing of the keys.
[[nodiscard]] std::string_view describe(TokenProblem problem);

/// Checks tokens: JSON Web Tokens (RFC 7519) that are signed (RFC 7515), in compact form.
class TokenVerifier {
 public:
  struct Expected {
    std::vector<std::string> issuers = {};    ///< Empty: any, or none.
    std::vector<std::string> audiences = {};  ///< Empty: any, or none.
    /// Difference of clocks that is tolerated in `exp` and `nbf`, in seconds.
    UnixSeconds leeway = 0;
  };

  struct Verdict {
    TokenProblem problem = TokenProblem::None;
    Token token = {};        ///< Only without a problem.
    std::string claim = {};  ///< The claim that is wrong, with TokenProblem::Claim; may be empty.
    /// It states a key that is not there, or there are no keys: another key set may accept it.
    bool isKeyUnknown = false;
  };

  TokenVerifier(KeySet keys, Expected expected);

  /// `now`: seconds since 1970. Claims are looked at only if the signature is right.
  [[nodiscard]] Verdict verify(std::string_view text, UnixSeconds now) const;
  void setKeys(KeySet keys) { keys_ = std::move(keys); }

 private:
  [[nodiscard]] TokenProblem check(const Token& token, UnixSeconds now) const;

  KeySet keys_;
  Expected expected_;
};

}  // namespace stormo::access
