#include "bench/stamp.h"

#include <array>

namespace stormo::bench {
namespace {

constexpr std::size_t kPublisherDigits = 5;
constexpr std::size_t kSequenceDigits = 8;
constexpr std::size_t kTimeDigits = 12;
static_assert(1 + kPublisherDigits + kSequenceDigits + kTimeDigits == kStampBytes);

constexpr std::uint8_t kNotADigit = 0xff;

constexpr std::array<std::uint8_t, 256> kDigitValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotADigit);
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

char* writeHex(std::uint64_t value, std::size_t digits, char* out) {
  for (std::size_t i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 0xf];
  return out + digits;
}

// Reads `digits` from the front. Sets bits of `bad` if one of them is not a hexadecimal digit.
std::uint64_t readHex(const char*& in, std::size_t digits, std::uint8_t& bad) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t digit = kDigitValues[static_cast<std::uint8_t>(*in++)];
    bad |= digit;
    value = value << 4 | digit;
  }
  return value;
}

}  // namespace

void writeStamp(const Stamp& stamp, char* out) {
  *out++ = kStampMark;
  out = writeHex(stamp.publisher, kPublisherDigits, out);
  out = writeHex(stamp.sequence, kSequenceDigits, out);
  writeHex(stamp.sentNs, kTimeDigits, out);
}

std::optional<Stamp> readStamp(std::string_view text) {
  if (text.size() < kStampBytes || text.front() != kStampMark) return std::nullopt;
  const char* in = text.data() + 1;
  std::uint8_t bad = 0;
  Stamp stamp;
  stamp.publisher = static_cast<std::uint32_t>(readHex(in, kPublisherDigits, bad));
  stamp.sequence = static_cast<std::uint32_t>(readHex(in, kSequenceDigits, bad));
  stamp.sentNs = readHex(in, kTimeDigits, bad);
  if ((bad & 0xf0) != 0) return std::nullopt;
  return stamp;
}

}  // namespace stormo::bench
