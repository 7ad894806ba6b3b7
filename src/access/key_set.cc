#include "access/key_set.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "access/base64url.h"
#include "base/free_by.h"
#include "protocol/json/fields.h"
#include "protocol/json/scanner.h"

namespace stormo::access {
namespace {

using NumberPointer = std::unique_ptr<BIGNUM, FreeBy<&::BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeBy<&::OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, FreeBy<&::OSSL_PARAM_free>>;
using KeyMaker = std::unique_ptr<EVP_PKEY_CTX, FreeBy<&::EVP_PKEY_CTX_free>>;
using PublicKey = std::shared_ptr<EVP_PKEY>;

const std::initializer_list<std::string_view> kMembers = {"kty", "use", "alg", "kid", "n",
                                                          "e",   "crv", "x",   "y"};

/// The members of a JWK (RFC 7517 4, RFC 7518 6, RFC 8037 2).
class Jwk {
 public:
  explicit Jwk(std::string_view json) {
    if (fields_.read(json) != JsonFields::Verdict::Ok) {
      throw std::invalid_argument("a key is no JSON object");
    }
  }
  [[nodiscard]] std::string text(std::size_t field) {
    return std::string(fields_.string(field).value_or(""));
  }
  [[nodiscard]] std::string bytes(std::size_t field) {
    auto decoded = decodeBase64url(fields_.string(field).value_or(""));
    if (!decoded || decoded->empty()) {
      throw std::invalid_argument(
          fmt::format("the member '{}' of a key is no Base64url", kMembers.begin()[field]));
    }
    return *std::move(decoded);
  }
  [[nodiscard]] bool has(std::size_t field) const { return fields_.has(field); }

  /// In the order of kMembers.
  enum Field : std::size_t { Kty, Use, Alg, Kid, N, E, Crv, X, Y };

 private:
  JsonFields fields_{kMembers};
};

const unsigned char* bytesOf(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

PublicKey make(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(::OSSL_PARAM_BLD_to_param(builder));
  const KeyMaker maker(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (parameters == nullptr || maker == nullptr) throw std::bad_alloc();
  EVP_PKEY* key = nullptr;
  const bool isMade =
      ::EVP_PKEY_fromdata_init(maker.get()) == 1 &&
      ::EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  ::ERR_clear_error();
  if (!isMade) throw std::invalid_argument("a key of the set is invalid");
  return {key, ::EVP_PKEY_free};
}

ParameterBuilder newBuilder() {
  ParameterBuilder builder(::OSSL_PARAM_BLD_new());
  if (builder == nullptr) throw std::bad_alloc();
  return builder;
}

PublicKey rsaKey(Jwk& jwk) {
  const std::string modulus = jwk.bytes(Jwk::N);
  const std::string exponent = jwk.bytes(Jwk::E);
  const auto number = [](const std::string& bytes) {
    return NumberPointer(::BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr));
  };
  const NumberPointer n = number(modulus);
  const NumberPointer e = number(exponent);
  const ParameterBuilder builder = newBuilder();
  ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return make("RSA", builder.get());
}

PublicKey curveKey(Jwk& jwk, const std::string& curve) {
  constexpr char kUncompressed = '\4';  // SEC 1, 2.3.3
  const std::string point = kUncompressed + jwk.bytes(Jwk::X) + jwk.bytes(Jwk::Y);
  const ParameterBuilder builder = newBuilder();
  ::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0);
  ::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
  return make("EC", builder.get());
}

PublicKey edwardsKey(Jwk& jwk) {
  const std::string point = jwk.bytes(Jwk::X);
  PublicKey key(
      ::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(point), point.size()),
      ::EVP_PKEY_free);
  ::ERR_clear_error();
  if (key == nullptr) throw std::invalid_argument("a key of the set is invalid");
  return key;
}

/// Null for a kind that is not known.
PublicKey publicKeyOf(Jwk& jwk) {
  const std::string type = jwk.text(Jwk::Kty);
  const std::string curve = jwk.text(Jwk::Crv);
  if (type == "RSA") return rsaKey(jwk);
  if (type == "EC" && (curve == "P-256" || curve == "P-384")) return curveKey(jwk, curve);
  if (type == "OKP" && curve == "Ed25519") return edwardsKey(jwk);
  return nullptr;
}

std::optional<Key> keyOf(std::string_view json) {
  Jwk jwk(json);
  if (jwk.has(Jwk::Use) && jwk.text(Jwk::Use) != "sig") return std::nullopt;
  PublicKey made = publicKeyOf(jwk);
  if (made == nullptr) return std::nullopt;
  Key key = Key::fromPublicKey(std::move(made));
  key.id = jwk.text(Jwk::Kid);
  if (!jwk.has(Jwk::Alg)) return key;
  const auto algorithm = algorithmNamed(jwk.text(Jwk::Alg));
  if (!algorithm || !key.accepts(*algorithm)) return std::nullopt;
  key.restrictTo({*algorithm});
  return key;
}

}  // namespace

KeySet KeySet::fromJwks(std::string_view json) {
  KeySet set;
  JsonFields members{"keys"};
  const bool isObject = members.read(json) == JsonFields::Verdict::Ok;
  const std::string_view list = isObject && members.has(0) ? members.text(0) : "";
  JsonScanner scanner(list);
  if (scanner.next() != JsonScanner::Kind::Array) {
    throw std::invalid_argument("it is no JSON object with a list of 'keys'");
  }
  scanner.array([&] {
    if (auto key = keyOf(scanner.skip())) set.add(*std::move(key));
  });
  if (set.empty())
    throw std::invalid_argument("it has no public key that tokens can be signed with");
  return set;
}

bool KeySet::hasId(std::string_view id) const {
  return std::ranges::find(keys_, id, &Key::id) != keys_.end();
}

}  // namespace stormo::access
