// Any text is read as a token, as claims and as a JWK Set, or refused.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "access/base64url.h"
#include "access/key_set.h"
#include "access/token.h"
#include "access/token_verifier.h"
#include "base/assert.h"

namespace {

using namespace stormo::access;

const TokenVerifier& verifier() {
  static const TokenVerifier made = [] {
    KeySet keys = KeySet::fromJwks(
        R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    keys.add(Key::secret(std::string(64, 's')));
    return TokenVerifier(keys, {});
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Without a key nobody makes a token that is accepted.
  STORMO_ASSERT(verifier().verify(text, 0).problem != TokenProblem::None);

  if (const auto bytes = decodeBase64url(text)) STORMO_ASSERT(encodeBase64url(*bytes) == text);

  std::string wrong;
  if (const auto token = readClaims(text, wrong)) STORMO_ASSERT(!token->user.empty());

  try {
    STORMO_ASSERT(!KeySet::fromJwks(text).empty());
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
