#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "access/algorithm.h"
#include "access/base64url.h"

namespace stormo::access {

/// A new private key of a kind, which signs as an issuer of tokens does.
class SigningKey {
 public:
  /// `rsaBits`: for KeyKind::Rsa.
  explicit SigningKey(KeyKind kind, int rsaBits = 2048);
  /// On a curve that OpenSSL knows.
  explicit SigningKey(const char* curve);

  [[nodiscard]] std::string sign(Algorithm algorithm, std::string_view text) const;
  /// The public key in PEM format.
  [[nodiscard]] std::string publicPem() const;
  /// The public key as members of a JWK, without the braces.
  [[nodiscard]] std::string publicJwk() const;

 private:
  KeyKind kind_ = KeyKind::P256;
  std::shared_ptr<EVP_PKEY> key_;
};

[[nodiscard]] std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text);

/// The compact form (RFC 7515 7.1), signed by `sign(text)`.
template <typename Sign>
std::string compactToken(std::string_view header, std::string_view claims, const Sign& sign) {
  const std::string text = encodeBase64url(header) + '.' + encodeBase64url(claims);
  return text + '.' + encodeBase64url(sign(text));
}

}  // namespace stormo::access
