#include "access/token_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "access/base64url.h"
#include "protocol/json/fields.h"

namespace stormo::access {
namespace {

// A longer one does not fit into a request's head.
constexpr std::size_t kTokenBytesMax = 16 << 10;

/// The three parts of the compact form.
struct Parts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signedText;  ///< The first two, as they were signed.
};

std::optional<Parts> partsOf(std::string_view text) {
  const std::size_t first = text.find('.');
  if (text.size() > kTokenBytesMax || first == text.npos) return std::nullopt;
  const std::size_t second = text.find('.', first + 1);
  if (second == text.npos) return std::nullopt;
  return Parts{.header = text.substr(0, first),
               .claims = text.substr(first + 1, second - first - 1),
               .signature = text.substr(second + 1),  // a third dot is no Base64url
               .signedText = text.substr(0, second)};
}

bool isAmong(const std::vector<std::string>& expected, const std::string& value) {
  return std::ranges::find(expected, value) != expected.end();
}

}  // namespace

std::string_view describe(TokenProblem problem) {
  switch (problem) {
    case TokenProblem::None:
      return "the token is valid";
    case TokenProblem::Malformed:
      return "the token is malformed";
    case TokenProblem::Algorithm:
      return "the token's algorithm is not accepted";
    case TokenProblem::UnknownKey:
      return "the token's key is not known";
    case TokenProblem::Signature:
      return "the token's signature is not valid";
    case TokenProblem::Claim:
      return "a claim of the token is missing or malformed";
    case TokenProblem::Expired:
      return "the token has expired";
    case TokenProblem::NotYetValid:
      return "the token is not valid yet";
    case TokenProblem::Issuer:
      return "the token is of another issuer";
    case TokenProblem::Audience:
      return "the token is for another audience";
  }
  return {};
}

TokenVerifier::TokenVerifier(KeySet keys, Expected expected)
    : keys_(std::move(keys)), expected_(std::move(expected)) {}

TokenVerifier::Verdict TokenVerifier::verify(std::string_view text, UnixSeconds now) const {
  const auto parts = partsOf(text);
  if (!parts) return {TokenProblem::Malformed};
  const auto header = decodeBase64url(parts->header);
  const auto claims = decodeBase64url(parts->claims);
  const auto signature = decodeBase64url(parts->signature);
  if (!header || !claims || !signature) return {TokenProblem::Malformed};

  enum : std::size_t { Alg, Kid, Crit };
  JsonFields fields{"alg", "kid", "crit"};
  if (fields.read(*header) != JsonFields::Verdict::Ok || fields.has(Crit)) {
    return {TokenProblem::Malformed};
  }
  const auto algorithm = algorithmNamed(fields.string(Alg).value_or(""));
  if (!algorithm) return {TokenProblem::Algorithm};
  const std::string_view id = fields.string(Kid).value_or("");
  bool isTried = false;
  const bool isSigned = keys_.anyOf(id, *algorithm, [&](const Key& key) {
    isTried = true;
    return key.verifies(*algorithm, parts->signedText, *signature);
  });
  Verdict verdict;
  if (!isSigned) {
    verdict.isKeyUnknown = keys_.empty() || (!id.empty() && !keys_.hasId(id));
    verdict.problem = verdict.isKeyUnknown ? TokenProblem::UnknownKey
                      : isTried            ? TokenProblem::Signature
                                           : TokenProblem::Algorithm;
    return verdict;
  }

  auto token = readClaims(*claims, verdict.claim);
  if (!token) {
    verdict.problem = TokenProblem::Claim;
    return verdict;
  }
  verdict.problem = check(*token, now);
  if (verdict.problem == TokenProblem::None) verdict.token = *std::move(token);
  return verdict;
}

TokenProblem TokenVerifier::check(const Token& token, UnixSeconds now) const {
  // RFC 7519 4.1.4: on or after `exp` it is not accepted.
  if (token.expires && now - expected_.leeway >= *token.expires) return TokenProblem::Expired;
  if (token.notBefore && now + expected_.leeway < *token.notBefore) {
    return TokenProblem::NotYetValid;
  }
  if (!expected_.issuers.empty() && !isAmong(expected_.issuers, token.issuer)) {
    return TokenProblem::Issuer;
  }
  const bool isForUs = expected_.audiences.empty() ||
                       std::ranges::any_of(token.audience, [&](const std::string& each) {
                         return isAmong(expected_.audiences, each);
                       });
  return isForUs ? TokenProblem::None : TokenProblem::Audience;
}

}  // namespace stormo::access
