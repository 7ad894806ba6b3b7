#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace stormo {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // bit-reflected

constexpr std::array<std::uint32_t, 256> makeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = makeTable();

#if defined(__x86_64__)
#define STORMO_CRC_TARGET __attribute__((target("sse4.2")))
bool hasInstruction() { return __builtin_cpu_supports("sse4.2") != 0; }
STORMO_CRC_TARGET std::uint32_t eight(std::uint32_t crc, std::uint64_t bytes) {
  return static_cast<std::uint32_t>(__builtin_ia32_crc32di(crc, bytes));
}
STORMO_CRC_TARGET std::uint32_t four(std::uint32_t crc, std::uint32_t bytes) {
  return __builtin_ia32_crc32si(crc, bytes);
}
STORMO_CRC_TARGET std::uint32_t one(std::uint32_t crc, unsigned char byte) {
  return __builtin_ia32_crc32qi(crc, byte);
}
#elif defined(__aarch64__)
#define STORMO_CRC_TARGET __attribute__((target("+crc")))
bool hasInstruction() { return (::getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
STORMO_CRC_TARGET std::uint32_t eight(std::uint32_t crc, std::uint64_t bytes) {
  return __builtin_aarch64_crc32cx(crc, bytes);
}
STORMO_CRC_TARGET std::uint32_t four(std::uint32_t crc, std::uint32_t bytes) {
  return __builtin_aarch64_crc32cw(crc, bytes);
}
STORMO_CRC_TARGET std::uint32_t one(std::uint32_t crc, unsigned char byte) {
  return __builtin_aarch64_crc32cb(crc, byte);
}
#endif

#if defined(STORMO_CRC_TARGET)
STORMO_CRC_TARGET std::uint32_t byInstruction(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (; end - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    crc = eight(crc, word);
  }
  if (end - at >= 4) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    crc = four(crc, word);
    at += 4;
  }
  for (; at != end; ++at) crc = one(crc, static_cast<unsigned char>(*at));
  return ~crc;
}
#endif

}  // namespace

std::uint32_t crc32cByTable(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~crc;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(STORMO_CRC_TARGET)
  static const bool kHasInstruction = hasInstruction();
  if (kHasInstruction) return byInstruction(bytes, before);
#endif
  return crc32cByTable(bytes, before);
}

}  // namespace stormo
