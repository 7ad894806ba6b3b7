#pragma once

#include <netinet/in.h>
#include <stormo/result.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

/// An IPv4, IPv6 or unix socket address, ready for the kernel.
class Address {
 public:
  Address() = default;

  /// `host` is a numeric IPv4 or IPv6 address (no brackets); nullopt if it is not.
  static std::optional<Address> ip(std::string_view host, std::uint16_t port);
  /// Nullopt if the path is empty, holds a zero byte, or is longer than a sockaddr_un holds.
  static std::optional<Address> unixPath(std::string_view path);
  static Address fromRaw(const sockaddr* raw, socklen_t size);

  /// What a host stands for without any look-up: a numeric address for itself, `localhost` for both
  /// loopback addresses, IPv4 first (RFC 6761 6.3). Empty for other names.
  static std::vector<Address> known(std::string_view host, std::uint16_t port);
  /// All addresses of a host, at least one, to be tried in this order. Blocks while names are
  /// looked up, for as long as no DNS server answers.
  static Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] bool isUnix() const { return family() == AF_UNIX; }
  /// Loopback or unix: no other machine reaches it.
  [[nodiscard]] bool isLocal() const;
  [[nodiscard]] std::string host() const;  ///< "127.0.0.1", "::1", or the path.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string text() const;  ///< "127.0.0.1:1234", "[::1]:1234", "unix:///path".

 private:
  static constexpr socklen_t kPathOffset = offsetof(sockaddr_un, sun_path);
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// The same where there are many of them: 40 bytes for all but long unix paths.
class StoredAddress {
 public:
  explicit StoredAddress(const Address& address);
  [[nodiscard]] Address get() const;

 private:
  static constexpr std::size_t kInlineBytes = sizeof(sockaddr_in6);
  alignas(sockaddr_in6) std::array<char, kInlineBytes> raw_{};
  socklen_t size_;
  std::unique_ptr<const Address> longer_;
};

/// A URL as users write listening and peer addresses: `scheme://host:port`, `scheme://[v6]:port`,
/// `unix:///path`.
struct SocketUrl {
  std::string scheme;
  std::string host;  ///< Without brackets; the path for unix.
  std::uint16_t port = 0;

  [[nodiscard]] bool isUnix() const { return scheme == "unix"; }
  [[nodiscard]] std::string text() const;
};

/// Throws std::invalid_argument with a sentence that says what is wrong and shows the right form.
SocketUrl parseSocketUrl(std::string_view url);

}  // namespace stormo
