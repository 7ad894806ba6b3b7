#include "access/sha256.h"

#include <openssl/evp.h>

#include <cstring>
#include <stdexcept>

namespace stormo::access {

Sha256 sha256(std::string_view bytes) {
  // Fetched once: the function SHA256() looks it up at each call, which takes longer than to hash a
  // key.
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Sha256 hash{};
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, kAlgorithm, nullptr) != 1) {
    throw std::runtime_error("the OpenSSL library cannot compute SHA-256");
  }
  return hash;
}

std::uint64_t sha256Start(std::string_view bytes) {
  const Sha256 hash = sha256(bytes);
  std::uint64_t start = 0;
  std::memcpy(&start, hash.data(), sizeof start);
  return start;
}

}  // namespace stormo::access
