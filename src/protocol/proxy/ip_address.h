#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stormo::proxy {

/// An IPv4 or IPv6 address. IPv4 is in its mapped form, ::ffff:203.0.113.7 (RFC 4291 2.5.5.2), so
/// both notations of one address are equal.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< In network order.

  /// Four bytes are an IPv4 address, 16 an IPv6 address.
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes);
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes);
  /// "203.0.113.7" or "2001:db8::1", without brackets, port or zone; nullopt for anything else.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool isV4() const;
  [[nodiscard]] std::string text() const;

  bool operator==(const IpAddress&) const = default;
};

struct IpEndpoint {
  IpAddress address;
  std::uint16_t port = 0;  ///< 0: not known.

  bool operator==(const IpEndpoint&) const = default;
};

/// An address, or a network in CIDR notation (RFC 4632 3.1): "10.0.0.0/8", "fd00::/8".
struct IpNetwork {
  IpAddress address;
  unsigned prefixBits = 128;  ///< Of the 128 bits of the mapped form.

  /// Nullopt if it is none, or if the address has bits beyond the prefix ("10.0.0.1/8").
  static std::optional<IpNetwork> parse(std::string_view text);

  /// An IPv6 network contains no IPv4 address: "::/0" is all of IPv6.
  [[nodiscard]] bool contains(const IpAddress& candidate) const;
};

}  // namespace stormo::proxy
