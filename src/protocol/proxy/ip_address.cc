#include "protocol/proxy/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace stormo::proxy {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedPrefixBits = 96;

/// The bits of this byte that the first `prefixBits` bits of an address include.
std::uint8_t maskOfByte(std::size_t index, unsigned prefixBits) {
  const unsigned before = static_cast<unsigned>(index) * 8;
  if (prefixBits <= before) return 0;
  const unsigned bits = std::min(prefixBits - before, 8U);
  return static_cast<std::uint8_t>(0xff00U >> bits);
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(kMappedPrefix, address.bytes.begin());
  std::ranges::copy(bytes, address.bytes.begin() + kMappedPrefix.size());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != text.npos) return std::nullopt;
  *std::ranges::copy(text, copy).out = '\0';
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, copy, four.data()) == 1) return v4(four);
  IpAddress address;
  if (::inet_pton(AF_INET6, copy, address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::isV4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (isV4()) {
    ::inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == text.npos) return IpNetwork{.address = *address};
  // A mapped address that is written as IPv6 counts its bits as IPv6.
  const bool isWrittenV4 = text.substr(0, slash).find(':') == text.npos;
  const unsigned prefixBitsMax = isWrittenV4 ? 32 : 128;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefixBits = 0;
  const auto [end, errc] =
      std::from_chars(digits.data(), digits.data() + digits.size(), prefixBits);
  if (errc != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (prefixBits > prefixBitsMax) return std::nullopt;
  const IpNetwork network{.address = *address,
                          .prefixBits = prefixBits + (isWrittenV4 ? kMappedPrefixBits : 0)};
  for (std::size_t i = 0; i < address->bytes.size(); ++i) {
    if ((address->bytes[i] & ~maskOfByte(i, network.prefixBits)) != 0) return std::nullopt;
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& candidate) const {
  if (candidate.isV4() != address.isV4()) return false;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const int differing = address.bytes[i] ^ candidate.bytes[i];
    if ((differing & maskOfByte(i, prefixBits)) != 0) return false;
  }
  return true;
}

}  // namespace stormo::proxy
