#include "access/signing_key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "base/free_by.h"

namespace stormo::access {
namespace {

void require(bool isDone) {
  if (!isDone) throw std::runtime_error("OpenSSL failed");
}

const EVP_MD* hashOf(Algorithm algorithm) {
  const std::string_view name = nameOf(algorithm);
  if (name.ends_with("256")) return ::EVP_sha256();
  if (name.ends_with("384")) return ::EVP_sha384();
  if (name.ends_with("512")) return ::EVP_sha512();
  return nullptr;
}

const unsigned char* bytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

EVP_PKEY* makeKey(KeyKind kind, int rsaBits) {
  switch (kind) {
    case KeyKind::Rsa:
      return ::EVP_RSA_gen(static_cast<unsigned>(rsaBits));
    case KeyKind::P256:
      return ::EVP_EC_gen("P-256");
    case KeyKind::P384:
      return ::EVP_EC_gen("P-384");
    default:
      return ::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
}

/// The two numbers of a signature in DER, each of that length.
std::string numbersOf(const std::string& der, int numberBytes) {
  const unsigned char* at = bytesOf(der);
  const std::unique_ptr<ECDSA_SIG, FreeBy<&::ECDSA_SIG_free>> both(
      ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string numbers(2 * static_cast<std::size_t>(numberBytes), '\0');
  auto* const out = reinterpret_cast<unsigned char*>(numbers.data());
  require(::BN_bn2binpad(::ECDSA_SIG_get0_r(both.get()), out, numberBytes) == numberBytes);
  require(::BN_bn2binpad(::ECDSA_SIG_get0_s(both.get()), out + numberBytes, numberBytes) ==
          numberBytes);
  return numbers;
}

std::string numberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(::EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  ::BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  ::BN_free(number);
  return encodeBase64url(bytes);
}

std::string pointOf(EVP_PKEY* key) {
  std::array<unsigned char, 256> point{};
  std::size_t bytes = 0;
  require(::EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size(), &bytes) == 1);
  return {reinterpret_cast<const char*>(point.data()), bytes};
}

}  // namespace

SigningKey::SigningKey(KeyKind kind, int rsaBits)
    : kind_(kind), key_(makeKey(kind, rsaBits), ::EVP_PKEY_free) {
  require(key_ != nullptr);
}

SigningKey::SigningKey(const char* curve) : key_(::EVP_EC_gen(curve), ::EVP_PKEY_free) {
  require(key_ != nullptr);
}

std::string SigningKey::sign(Algorithm algorithm, std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeBy<&::EVP_MD_CTX_free>> context(::EVP_MD_CTX_new());
  require(::EVP_DigestSignInit(context.get(), nullptr, hashOf(algorithm), nullptr, key_.get()) ==
          1);
  std::size_t bytes = 0;
  require(::EVP_DigestSign(context.get(), nullptr, &bytes, bytesOf(text), text.size()) == 1);
  std::string signature(bytes, '\0');
  require(::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                           &bytes, bytesOf(text), text.size()) == 1);
  signature.resize(bytes);
  if (kind_ == KeyKind::P256) return numbersOf(signature, 32);
  if (kind_ == KeyKind::P384) return numbersOf(signature, 48);
  return signature;
}

std::string SigningKey::publicPem() const {
  const std::unique_ptr<BIO, FreeBy<&::BIO_free>> bio(::BIO_new(::BIO_s_mem()));
  require(::PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(bytes)};
}

std::string SigningKey::publicJwk() const {
  switch (kind_) {
    case KeyKind::Rsa:
      return fmt::format(R"("kty":"RSA","n":"{}","e":"{}")",
                         numberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N),
                         numberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E));
    case KeyKind::P256:
    case KeyKind::P384: {
      const std::string point = pointOf(key_.get());
      const std::size_t half = (point.size() - 1) / 2;
      return fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")",
                         kind_ == KeyKind::P256 ? "P-256" : "P-384",
                         encodeBase64url(std::string_view(point).substr(1, half)),
                         encodeBase64url(std::string_view(point).substr(1 + half)));
    }
    default:
      return fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")",
                         encodeBase64url(pointOf(key_.get())));
  }
}

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned bytes = 0;
  require(::HMAC(hashOf(algorithm), secret.data(), static_cast<int>(secret.size()), bytesOf(text),
                 text.size(), mac.data(), &bytes) != nullptr);
  return {reinterpret_cast<const char*>(mac.data()), bytes};
}

}  // namespace stormo::access
