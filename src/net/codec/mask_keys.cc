#include "net/codec/mask_keys.h"

#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>

#include "protocol/text/base64.h"

namespace stormo::net {
namespace {

void fillRandomly(std::span<char> bytes) {
  if (::getentropy(bytes.data(), bytes.size()) == 0) return;
  throw std::system_error(errno, std::generic_category(), "getentropy");
}

}  // namespace

void MaskKeys::refill() {
  fillRandomly(bytes_);
  used_ = 0;
}

std::string randomHandshakeKey() {
  std::array<char, 16> nonce;
  fillRandomly(nonce);
  std::string key;
  appendBase64({nonce.data(), nonce.size()}, key);
  return key;
}

}  // namespace stormo::net
