#include "access/token_signer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

#include "access/base64url.h"

namespace stormo::access {

std::string signToken(std::string_view claims, std::string_view secret) {
  std::string token = encodeBase64url(R"({"alg":"HS256","typ":"JWT"})");
  token.append(".").append(encodeBase64url(claims));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned bytes = 0;
  if (::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(),
             &bytes) == nullptr) {
    throw std::bad_alloc();
  }
  const std::string_view signature(reinterpret_cast<const char*>(mac.data()), bytes);
  return token.append(".").append(encodeBase64url(signature));
}

}  // namespace stormo::access
