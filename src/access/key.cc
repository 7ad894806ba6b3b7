#include "access/key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/free_by.h"

namespace stormo::access {
namespace {

using BioPointer = std::unique_ptr<BIO, FreeBy<&::BIO_free>>;
using CertificatePointer = std::unique_ptr<X509, FreeBy<&::X509_free>>;
using DigestPointer = std::unique_ptr<EVP_MD_CTX, FreeBy<&::EVP_MD_CTX_free>>;
using SignaturePointer = std::unique_ptr<ECDSA_SIG, FreeBy<&::ECDSA_SIG_free>>;

constexpr int kRsaBitsMin = 2048;

const EVP_MD* hashOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::HS256:
    case Algorithm::RS256:
    case Algorithm::ES256:
      return ::EVP_sha256();
    case Algorithm::HS384:
    case Algorithm::RS384:
    case Algorithm::ES384:
      return ::EVP_sha384();
    case Algorithm::HS512:
    case Algorithm::RS512:
      return ::EVP_sha512();
    case Algorithm::EdDSA:
      break;
  }
  return nullptr;  // it is a part of the algorithm
}

const unsigned char* bytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

KeyKind kindOf(EVP_PKEY* key) {
  switch (::EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (::EVP_PKEY_get_bits(key) < kRsaBitsMin) {
        throw std::invalid_argument(
            fmt::format("an RSA key needs at least {} bits, this one has {}", kRsaBitsMin,
                        ::EVP_PKEY_get_bits(key)));
      }
      return KeyKind::Rsa;
    case EVP_PKEY_ED25519:
      return KeyKind::Ed25519;
    case EVP_PKEY_EC: {
      std::array<char, 32> curve{};
      ::EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr);
      const std::string_view name = curve.data();
      if (name == SN_X9_62_prime256v1) return KeyKind::P256;
      if (name == SN_secp384r1) return KeyKind::P384;
      throw std::invalid_argument(fmt::format("the curve {} is not P-256 or P-384", name));
    }
    default:
      throw std::invalid_argument("the key is not of RSA, P-256, P-384 or Ed25519");
  }
}

bool isHmac(const EVP_MD* hash, std::string_view secret, std::string_view text,
            std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> expected{};
  unsigned bytes = 0;
  if (::HMAC(hash, secret.data(), static_cast<int>(secret.size()), bytesOf(text), text.size(),
             expected.data(), &bytes) == nullptr) {
    throw std::bad_alloc();
  }
  return signature.size() == bytes &&
         ::CRYPTO_memcmp(expected.data(), signature.data(), bytes) == 0;
}

/// The signature's two numbers of equal length (RFC 7518 3.4), as OpenSSL reads them: in DER. Empty
/// if it has another length.
std::string derOf(std::string_view signature, std::size_t numberBytes) {
  if (signature.size() != 2 * numberBytes) return {};
  const auto length = static_cast<int>(numberBytes);
  BIGNUM* const first = ::BN_bin2bn(bytesOf(signature), length, nullptr);
  BIGNUM* const second = ::BN_bin2bn(bytesOf(signature) + numberBytes, length, nullptr);
  const SignaturePointer both(::ECDSA_SIG_new());
  if (both == nullptr || ::ECDSA_SIG_set0(both.get(), first, second) != 1) {
    ::BN_free(first);
    ::BN_free(second);
    throw std::bad_alloc();
  }
  unsigned char* der = nullptr;
  const int derBytes = ::i2d_ECDSA_SIG(both.get(), &der);
  if (derBytes < 0) throw std::bad_alloc();
  std::string result(reinterpret_cast<const char*>(der), static_cast<std::size_t>(derBytes));
  ::OPENSSL_free(der);
  return result;
}

bool isSignature(EVP_PKEY* key, const EVP_MD* hash, std::string_view text,
                 std::string_view signature) {
  const DigestPointer context(::EVP_MD_CTX_new());
  if (context == nullptr) throw std::bad_alloc();
  const bool isIt = ::EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
                    ::EVP_DigestVerify(context.get(), bytesOf(signature), signature.size(),
                                       bytesOf(text), text.size()) == 1;
  ::ERR_clear_error();
  return isIt;
}

std::vector<Algorithm> listOf(KeyKind kind) {
  const auto all = algorithmsFor(kind);
  return {all.begin(), all.end()};
}

}  // namespace

Key Key::secret(std::string bytes) {
  std::vector<Algorithm> algorithms = listOf(KeyKind::Secret);
  std::erase_if(algorithms, [&](Algorithm each) {
    return bytes.size() < static_cast<std::size_t>(::EVP_MD_get_size(hashOf(each)));
  });
  if (algorithms.empty()) {
    throw std::invalid_argument(
        fmt::format("a secret needs at least 32 bytes, this one has {}", bytes.size()));
  }
  Key key(KeyKind::Secret, std::move(algorithms));
  key.secret_ = std::make_shared<const std::string>(std::move(bytes));
  return key;
}

Key Key::fromPem(const std::string& pem) {
  const BioPointer bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) throw std::bad_alloc();
  std::shared_ptr<EVP_PKEY> key;
  if (pem.find("BEGIN CERTIFICATE") == pem.npos) {
    key.reset(::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), ::EVP_PKEY_free);
  } else {
    const CertificatePointer certificate(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate != nullptr) key.reset(::X509_get_pubkey(certificate.get()), ::EVP_PKEY_free);
  }
  ::ERR_clear_error();
  if (key == nullptr) {
    throw std::invalid_argument("there is no public key and no certificate in PEM format");
  }
  return fromPublicKey(std::move(key));
}

Key Key::fromPublicKey(std::shared_ptr<EVP_PKEY> key) {
  const KeyKind kind = kindOf(key.get());
  Key made(kind, listOf(kind));
  made.public_ = std::move(key);
  return made;
}

bool Key::accepts(Algorithm algorithm) const {
  return std::ranges::find(algorithms_, algorithm) != algorithms_.end();
}

void Key::restrictTo(const std::vector<Algorithm>& algorithms) {
  std::erase_if(algorithms_, [&](Algorithm each) {
    return std::ranges::find(algorithms, each) == algorithms.end();
  });
  if (algorithms_.empty()) throw std::invalid_argument("the key fits none of its algorithms");
}

bool Key::verifies(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!accepts(algorithm)) return false;
  const EVP_MD* const hash = hashOf(algorithm);
  switch (kind_) {
    case KeyKind::Secret:
      return isHmac(hash, *secret_, text, signature);
    case KeyKind::P256:
    case KeyKind::P384: {
      const std::string der = derOf(signature, kind_ == KeyKind::P256 ? 32 : 48);
      return !der.empty() && isSignature(public_.get(), hash, text, der);
    }
    case KeyKind::Rsa:
    case KeyKind::Ed25519:
      return isSignature(public_.get(), hash, text, signature);
  }
  return false;
}

}  // namespace stormo::access
