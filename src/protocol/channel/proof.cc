#include "protocol/channel/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <new>

#include "base/bytes.h"

namespace stormo::channel {
namespace {

// So that a proof is of no use to another protocol that hashes with the same secret.
constexpr std::string_view kLabel = "stormo channel client";

}  // namespace

ChallengeBytes randomChallenge() {
  ChallengeBytes challenge;
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(challenge.data()), challenge.size()) != 1) {
    throw std::bad_alloc();
  }
  return challenge;
}

std::string proofOf(std::string_view secret, std::string_view challenge, std::uint64_t producerId) {
  char id[sizeof producerId];
  storeBigEndian(id, producerId);
  std::string text(kLabel);
  text.append(challenge).append(id, sizeof id);
  std::string proof(kProofBytes, '\0');
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  auto* const out = reinterpret_cast<unsigned char*>(proof.data());
  if (::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, text.size(),
             out, nullptr) == nullptr) {
    throw std::bad_alloc();
  }
  return proof;
}

bool isProofOf(std::string_view secret, std::string_view challenge, std::uint64_t producerId,
               std::string_view proof) {
  const std::string right = proofOf(secret, challenge, producerId);
  return proof.size() == right.size() &&
         ::CRYPTO_memcmp(proof.data(), right.data(), right.size()) == 0;
}

}  // namespace stormo::channel
