#include "channel/nats/nkey.h"

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/free_by.h"

namespace stormo::channel {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648 6
constexpr std::uint8_t kSeed = 18 << 3;  // "S" as the first character
constexpr std::uint8_t kUser = 20 << 3;  // "U"
constexpr std::size_t kKeyBytes = 32;

std::optional<Bytes> base32Decoded(std::string_view text) {
  Bytes bytes;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 5) | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(buffer >> bits));
  }
  return bytes;
}

std::string base32Encoded(std::span<const std::uint8_t> bytes) {
  std::string text;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += kAlphabet[(buffer >> (bits - 5)) & 31];
  }
  if (bits > 0) text += kAlphabet[(buffer << (5 - bits)) & 31];
  return text;
}

std::uint16_t crc16(std::span<const std::uint8_t> bytes) {
  unsigned crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= static_cast<unsigned>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
  }
  return static_cast<std::uint16_t>(crc);
}

}  // namespace

std::optional<std::string> publicKeyOfSeed(std::string_view seed) {
  const auto raw = base32Decoded(seed);
  // Two bytes of prefixes, the key, and the CRC of both, its low byte first.
  if (!raw || raw->size() != 2 + kKeyBytes + 2) return std::nullopt;
  const std::span<const std::uint8_t> bytes = *raw;
  const std::uint16_t crc = crc16(bytes.first(2 + kKeyBytes));
  if (bytes[2 + kKeyBytes] != (crc & 0xff) || bytes[2 + kKeyBytes + 1] != crc >> 8) {
    return std::nullopt;
  }
  // The 5 bits of the role follow the 5 bits of the seed's letter.
  const auto role = static_cast<std::uint8_t>(((bytes[0] & 7) << 5) | ((bytes[1] & 0xf8) >> 3));
  if ((bytes[0] & 0xf8) != kSeed || role != kUser) return std::nullopt;

  const std::unique_ptr<EVP_PKEY, FreeBy<&::EVP_PKEY_free>> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, &bytes[2], kKeyBytes));
  Bytes encoded(1 + kKeyBytes + 2);
  std::size_t length = kKeyBytes;
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), &encoded[1], &length) != 1) {
    return std::nullopt;
  }
  encoded[0] = kUser;
  const std::uint16_t check = crc16(std::span(encoded).first(1 + kKeyBytes));
  encoded[1 + kKeyBytes] = static_cast<std::uint8_t>(check & 0xff);
  encoded[1 + kKeyBytes + 1] = static_cast<std::uint8_t>(check >> 8);
  return base32Encoded(encoded);
}

}  // namespace stormo::channel
