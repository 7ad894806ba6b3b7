#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/algorithm.h"

namespace stormo::access {

/// A key that signatures are checked with: a secret, or a public key. Copies share the key.
class Key {
 public:
  /// For HS256 to HS512, as far as the secret has as many bytes as the hash (RFC 7518 3.2). Throws
  /// std::invalid_argument, with a sentence for the user, if it has fewer than 32.
  static Key secret(std::string bytes);
  /// Of an RSA key of at least 2048 bits (RFC 7518 3.3), a P-256, P-384 or Ed25519 key, in PEM
  /// format: a public key, or a certificate. Throws as secret().
  static Key fromPem(const std::string& pem);
  /// As fromPem(), of parts as OpenSSL takes them.
  static Key fromPublicKey(std::shared_ptr<EVP_PKEY> key);

  std::string id;  ///< A token that states a key (`kid`) is checked with the keys of that name.

  [[nodiscard]] KeyKind kind() const { return kind_; }
  [[nodiscard]] const std::vector<Algorithm>& algorithms() const { return algorithms_; }
  [[nodiscard]] bool accepts(Algorithm algorithm) const;
  /// Of those that the key accepts, only these remain. Throws as secret() if none of them is left.
  void restrictTo(const std::vector<Algorithm>& algorithms);

  /// True if `signature`, as a token has it (RFC 7515 5.2), is that of `text`. False for an
  /// algorithm that the key does not accept.
  [[nodiscard]] bool verifies(Algorithm algorithm, std::string_view text,
                              std::string_view signature) const;

 private:
  Key(KeyKind kind, std::vector<Algorithm> algorithms)
      : kind_(kind), algorithms_(std::move(algorithms)) {}

  KeyKind kind_;
  std::vector<Algorithm> algorithms_;
  std::shared_ptr<const std::string> secret_;
  std::shared_ptr<EVP_PKEY> public_;
};

}  // namespace stormo::access
