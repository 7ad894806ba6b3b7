#include "access/key.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "access/signing_key.h"

namespace stormo::access {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr KeyKind kPublicKinds[] = {KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519};

TEST(AccessKey, VerifiesWhatTheSecretHasSigned) {
  const std::string secret(64, 's');
  const Key key = Key::secret(secret);
  EXPECT_THAT(key.algorithms(), ElementsAre(Algorithm::HS256, Algorithm::HS384, Algorithm::HS512));
  for (const Algorithm each : key.algorithms()) {
    const std::string signature = hmac(each, secret, "text");
    EXPECT_TRUE(key.verifies(each, "text", signature)) << nameOf(each);
    EXPECT_FALSE(key.verifies(each, "Text", signature)) << nameOf(each);
    EXPECT_FALSE(key.verifies(each, "text", signature.substr(1))) << nameOf(each);
    EXPECT_FALSE(key.verifies(each, "text", "")) << nameOf(each);
  }
}

TEST(AccessKey, ASecretIsForHashesThatAreNotLonger) {
  EXPECT_THAT(Key::secret(std::string(32, 's')).algorithms(), ElementsAre(Algorithm::HS256));
  EXPECT_THAT(Key::secret(std::string(63, 's')).algorithms(),
              ElementsAre(Algorithm::HS256, Algorithm::HS384));
  EXPECT_THAT([] { Key::secret(std::string(31, 's')); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("32 bytes, this one has 31")));
}

TEST(AccessKey, VerifiesWhatThePrivateKeyHasSigned) {
  for (const KeyKind kind : kPublicKinds) {
    const SigningKey signer(kind);
    const Key key = Key::fromPem(signer.publicPem());
    ASSERT_EQ(key.kind(), kind);
    for (const Algorithm each : algorithmsFor(kind)) {
      std::string signature = signer.sign(each, "text");
      EXPECT_TRUE(key.verifies(each, "text", signature)) << nameOf(each);
      EXPECT_FALSE(key.verifies(each, "Text", signature)) << nameOf(each);
      EXPECT_FALSE(Key::fromPem(SigningKey(kind).publicPem()).verifies(each, "text", signature))
          << nameOf(each);
      EXPECT_FALSE(key.verifies(each, "text", signature + '\0')) << nameOf(each);
      signature[5] ^= 1;
      EXPECT_FALSE(key.verifies(each, "text", signature)) << nameOf(each);
      EXPECT_FALSE(key.verifies(each, "text", "")) << nameOf(each);
    }
  }
}

// The classic attack: the public key's text is the secret of an HMAC.
TEST(AccessKey, APublicKeyIsNoSecret) {
  const std::string pem = SigningKey(KeyKind::Rsa).publicPem();
  const Key key = Key::fromPem(pem);
  for (const Algorithm each : algorithmsFor(KeyKind::Secret)) {
    EXPECT_FALSE(key.verifies(each, "text", hmac(each, pem, "text"))) << nameOf(each);
  }
}

TEST(AccessKey, AcceptsOnlyTheAlgorithmsThatItIsRestrictedTo) {
  const SigningKey signer(KeyKind::Rsa);
  Key key = Key::fromPem(signer.publicPem());
  key.restrictTo({Algorithm::RS384, Algorithm::HS256});
  EXPECT_THAT(key.algorithms(), ElementsAre(Algorithm::RS384));
  EXPECT_TRUE(key.verifies(Algorithm::RS384, "text", signer.sign(Algorithm::RS384, "text")));
  EXPECT_FALSE(key.verifies(Algorithm::RS256, "text", signer.sign(Algorithm::RS256, "text")));
  EXPECT_THROW(key.restrictTo({Algorithm::ES256}), std::invalid_argument);
}

TEST(AccessKey, WeakAndUnknownKeysAreRefused) {
  EXPECT_THAT([] { Key::fromPem(SigningKey(KeyKind::Rsa, 1024).publicPem()); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("2048 bits, this one has 1024")));
  EXPECT_THAT([] { Key::fromPem(SigningKey("secp256k1").publicPem()); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("the curve secp256k1")));
  for (const char* text :
       {"", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_THAT([&] { Key::fromPem(text); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("no public key")))
        << text;
  }
}

}  // namespace
}  // namespace stormo::access
