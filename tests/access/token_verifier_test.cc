#include "access/token_verifier.h"

#include <gtest/gtest.h>

#include <utility>

#include "access/signing_key.h"

namespace stormo::access {
namespace {

const std::string kSecret(32, 's');
constexpr UnixSeconds kNow = 1'700'000'000;

KeySet secrets(const std::string& secret = kSecret) {
  KeySet set;
  set.add(Key::secret(secret));
  return set;
}

std::string signedBySecret(std::string_view claims,
                           std::string_view header = R"({"alg":"HS256"})") {
  return compactToken(header, claims, [](const std::string& text) {
    return hmac(Algorithm::HS256, kSecret, text);
  });
}

TokenProblem problemOf(const TokenVerifier& verifier, const std::string& token) {
  return verifier.verify(token, kNow).problem;
}

TEST(TokenVerifier, AcceptsASignedToken) {
  const TokenVerifier verifier(secrets(), {});
  const auto verdict = verifier.verify(signedBySecret(R"({"sub":"ada"})"), kNow);
  EXPECT_EQ(verdict.problem, TokenProblem::None);
  EXPECT_EQ(verdict.token.user, "ada");
}

// RFC 7515 A.1 and A.3, RFC 8037 A.4: their signatures are right, their claims are not ours.
TEST(TokenVerifier, KnowsTheSignaturesOfTheStandards) {
  const std::string payload =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ";
  KeySet keys = KeySet::fromJwks(
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  keys.add(
      Key::secret(*decodeBase64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj"
                                   "0iPS4hcgUuTwjAzZr1Z9CAow")));
  const TokenVerifier verifier(keys, {});
  const std::string tokens[] = {
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload +
          ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      "eyJhbGciOiJFUzI1NiJ9." + payload +
          ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
  };
  for (std::string token : tokens) {
    EXPECT_EQ(problemOf(verifier, token), TokenProblem::Claim) << token;
    token[token.rfind('.') + 3] ^= 1;
    EXPECT_EQ(problemOf(verifier, token), TokenProblem::Signature) << token;
  }
}

TEST(TokenVerifier, EveryAlteredByteIsNoticed) {
  const TokenVerifier verifier(secrets(), {});
  const std::string token = signedBySecret(R"({"sub":"ada"})");
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char other : {'A', 'b', '.', '='}) {
      if (token[i] == other) continue;
      std::string altered = token;
      altered[i] = other;
      EXPECT_NE(problemOf(verifier, altered), TokenProblem::None) << i << other;
    }
    EXPECT_NE(problemOf(verifier, token.substr(0, i)), TokenProblem::None) << i;
  }
  EXPECT_NE(problemOf(verifier, token + 'A'), TokenProblem::None);
  EXPECT_NE(problemOf(verifier, token + ".AAAA"), TokenProblem::None);
}

TEST(TokenVerifier, TheAlgorithmMustBeOneOfTheKey) {
  const TokenVerifier verifier(secrets(), {});
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS384"})", R"({"alg":"RS256"})",
        R"({"alg":""})", R"({"alg":1})", R"({})", R"({"ALG":"HS256"})"}) {
    EXPECT_EQ(problemOf(verifier, signedBySecret(R"({"sub":"ada"})", header)),
              TokenProblem::Algorithm)
        << header;
  }
  const std::string unsignedToken = compactToken(R"({"alg":"none"})", R"({"sub":"ada"})",
                                                 [](const auto&) { return std::string(); });
  EXPECT_EQ(problemOf(verifier, unsignedToken), TokenProblem::Algorithm);
}

TEST(TokenVerifier, ExtensionsAreNotAccepted) {
  const TokenVerifier verifier(secrets(), {});
  EXPECT_EQ(
      problemOf(verifier, signedBySecret(R"({"sub":"ada"})", R"({"alg":"HS256","crit":["exp"]})")),
      TokenProblem::Malformed);
  EXPECT_EQ(
      problemOf(verifier, signedBySecret(R"({"sub":"ada"})", R"({"alg":"HS256","typ":"JWT"})")),
      TokenProblem::None);
}

TEST(TokenVerifier, OtherTextIsMalformed) {
  const TokenVerifier verifier(secrets(), {});
  for (const char* text : {"", ".", "..", "a.b", "a.b.c.d", "{}.{}.", "e30.e30.e30=", "e30"}) {
    EXPECT_EQ(problemOf(verifier, text), TokenProblem::Malformed) << text;
  }
  const std::string tooLong =
      signedBySecret(R"({"sub":"ada","x":")" + std::string(16'000, 'x') + R"("})");
  EXPECT_EQ(problemOf(verifier, tooLong), TokenProblem::Malformed);
}

TEST(TokenVerifier, KeysMayBeReplacedOneByOne) {
  KeySet keys = secrets("another secret of thirty-two bytes");
  EXPECT_EQ(problemOf(TokenVerifier(keys, {}), signedBySecret(R"({"sub":"ada"})")),
            TokenProblem::Signature);
  keys.add(secrets());
  EXPECT_EQ(problemOf(TokenVerifier(keys, {}), signedBySecret(R"({"sub":"ada"})")),
            TokenProblem::None);
}

TEST(TokenVerifier, DatesAreChecked) {
  const auto at = [](UnixSeconds now, UnixSeconds leeway, const std::string& dates) {
    return TokenVerifier(secrets(), {.leeway = leeway})
        .verify(signedBySecret(R"({"sub":"ada",)" + dates + '}'), now)
        .problem;
  };
  EXPECT_EQ(at(99, 0, R"("exp":100)"), TokenProblem::None);
  EXPECT_EQ(at(100, 0, R"("exp":100)"), TokenProblem::Expired);
  EXPECT_EQ(at(104, 5, R"("exp":100)"), TokenProblem::None);
  EXPECT_EQ(at(105, 5, R"("exp":100)"), TokenProblem::Expired);
  EXPECT_EQ(at(100, 0, R"("nbf":100)"), TokenProblem::None);
  EXPECT_EQ(at(99, 0, R"("nbf":100)"), TokenProblem::NotYetValid);
  EXPECT_EQ(at(95, 5, R"("nbf":100)"), TokenProblem::None);
  EXPECT_EQ(at(94, 5, R"("nbf":100)"), TokenProblem::NotYetValid);
  EXPECT_EQ(at(kNow, 0, R"("exp":-1e15)"), TokenProblem::Expired);
}

TEST(TokenVerifier, IssuerAndAudienceAreChecked) {
  const TokenVerifier verifier(secrets(), {.issuers = {"a", "b"}, .audiences = {"chat", "news"}});
  const std::pair<std::string, TokenProblem> table[] = {
      {R"("iss":"b","aud":"chat")", TokenProblem::None},
      {R"("iss":"a","aud":["other","news"])", TokenProblem::None},
      {R"("iss":"c","aud":"chat")", TokenProblem::Issuer},
      {R"("aud":"chat")", TokenProblem::Issuer},
      {R"("iss":"a")", TokenProblem::Audience},
      {R"("iss":"a","aud":[])", TokenProblem::Audience},
      {R"("iss":"a","aud":"chats")", TokenProblem::Audience},
  };
  for (const auto& [claims, expected] : table) {
    EXPECT_EQ(problemOf(verifier, signedBySecret(R"({"sub":"ada",)" + claims + '}')), expected)
        << claims;
  }
}

TEST(TokenVerifier, AWrongClaimIsNamedToWhoeverHasTheKey) {
  const auto verdict =
      TokenVerifier(secrets(), {}).verify(signedBySecret(R"({"sub":"a","exp":"x"})"), kNow);
  EXPECT_EQ(verdict.problem, TokenProblem::Claim);
  EXPECT_EQ(verdict.claim, "exp");
}

TEST(TokenVerifier, EveryProblemHasASentence) {
  for (int i = 0; i <= static_cast<int>(TokenProblem::Audience); ++i) {
    EXPECT_FALSE(describe(static_cast<TokenProblem>(i)).empty()) << i;
  }
}

}  // namespace
}  // namespace stormo::access
