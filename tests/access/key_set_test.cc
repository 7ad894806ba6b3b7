#include "access/key_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <stdexcept>

#include "access/signing_key.h"

namespace stormo::access {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

std::string jwks(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

/// The ids of the keys that a token with that id may be signed with.
std::vector<std::string> candidates(const KeySet& set, std::string_view id, Algorithm algorithm) {
  std::vector<std::string> ids;
  EXPECT_FALSE(set.anyOf(id, algorithm, [&](const Key& key) {
    ids.push_back(key.id);
    return false;
  }));
  return ids;
}

TEST(KeySet, ReadsPublicKeysOfAllKinds) {
  for (const KeyKind kind : {KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519}) {
    const SigningKey signer(kind);
    const KeySet set = KeySet::fromJwks(jwks('{' + signer.publicJwk() + R"(,"kid":"1"})"));
    for (const Algorithm each : algorithmsFor(kind)) {
      EXPECT_TRUE(set.anyOf("1", each, [&](const Key& key) {
        return key.verifies(each, "text", signer.sign(each, "text"));
      })) << nameOf(each);
    }
  }
}

TEST(KeySet, ReadsTheKeysOfTheStandards) {
  // RFC 7515 A.3.1, RFC 8037 A.2.
  const KeySet set = KeySet::fromJwks(
      jwks(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
           R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
           R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
  EXPECT_EQ(set.size(), 2u);
}

TEST(KeySet, AKeyWithAnAlgorithmIsForItAlone) {
  const SigningKey signer(KeyKind::Rsa);
  const KeySet set =
      KeySet::fromJwks(jwks('{' + signer.publicJwk() + R"(,"kid":"1","alg":"RS512","use":"sig"})"));
  EXPECT_THAT(candidates(set, "1", Algorithm::RS512), ElementsAre("1"));
  EXPECT_THAT(candidates(set, "1", Algorithm::RS256), IsEmpty());
}

TEST(KeySet, KeysForOtherPurposesAreIgnored) {
  const std::string good = '{' + SigningKey(KeyKind::P256).publicJwk() + R"(,"kid":"good"})";
  const std::string rsa = SigningKey(KeyKind::Rsa).publicJwk();
  const std::string ignored[] = {
      R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i"})",
      R"({"kty":"unknown"})",
      R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})",
      R"({"kty":"OKP","crv":"X25519","x":"AA"})",
      '{' + rsa + R"(,"use":"enc"})",
      '{' + rsa + R"(,"alg":"RSA-OAEP"})",
      '{' + rsa + R"(,"alg":"ES256"})",
      "{}",
  };
  for (const std::string& each : ignored) {
    EXPECT_EQ(KeySet::fromJwks(jwks(each + ',' + good)).size(), 1u) << each;
    EXPECT_THAT([&] { (void)KeySet::fromJwks(jwks(each)); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("no public key")))
        << each;
  }
}

TEST(KeySet, MalformedSetsAreRefused) {
  const std::string rsa = SigningKey(KeyKind::Rsa).publicJwk();
  const std::string weak = SigningKey(KeyKind::Rsa, 1024).publicJwk();
  const std::string malformed[] = {
      "",
      "[]",
      "{}",
      R"({"keys":{}})",
      R"({"keys":"[]"})",
      jwks("1"),
      jwks(R"({"kty":"RSA","n":"AQAB"})"),
      jwks(R"({"kty":"RSA","n":"A+==","e":"AQAB"})"),
      jwks(R"({"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"})"),
      jwks(R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})"),
      jwks('{' + weak + '}'),
      jwks('{' + rsa + '}') + ',',
  };
  for (const std::string& each : malformed) {
    EXPECT_THROW((void)KeySet::fromJwks(each), std::invalid_argument) << each;
  }
}

TEST(KeySet, ATokenWithAnIdIsOfTheKeysWithThatId) {
  KeySet set;
  for (const char* id : {"a", "b", "a", ""}) {
    Key key = Key::secret(std::string(32, 's'));
    key.id = id;
    set.add(std::move(key));
  }
  EXPECT_THAT(candidates(set, "a", Algorithm::HS256), ElementsAre("a", "a"));
  EXPECT_THAT(candidates(set, "b", Algorithm::HS256), ElementsAre("b"));
  EXPECT_THAT(candidates(set, "unknown", Algorithm::HS256), ElementsAre(""));
  EXPECT_THAT(candidates(set, "", Algorithm::HS256), ElementsAre("a", "b", "a", ""));
  EXPECT_THAT(candidates(set, "a", Algorithm::RS256), IsEmpty());
}

}  // namespace
}  // namespace stormo::access
