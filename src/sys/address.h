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
  /// Nullopt if the path is empty, contains a zero byte, or does not fit into a sockaddr_un.
  static std::optional<Address> unixPath(std::string_view path);
  static Address fromRaw(const sockaddr* raw, socklen_t size);

  /// Addresses of a host that needs no lookup: a numeric address itself; for `localhost` both
  /// loopback addresses, IPv4 first (RFC 6761 6.3). Empty for other names.
  static std::vector<Address> known(std::string_view host, std::uint16_t port);
  /// All addresses of a host, at least one, in the order in which to try them. Blocks during a DNS
  /// lookup, until it times out if no DNS server answers.
  static Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] bool isUnix() const { return family() == AF_UNIX; }
  /// Loopback or unix: not reachable from other machines.
  [[nodiscard]] bool isLocal() const;
  [[nodiscard]] std::string host() const;  ///< "127.0.0.1", "::1", or the path.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string text() const;  ///< "127.0.0.1:1234", "[::1]:1234", "unix:///path".

 private:
  static constexpr socklen_t kPathOffset = offsetof(sockaddr_un, sun_path);
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// An Address in less memory: 40 bytes, except for long unix paths.
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

/// A URL of a listening or peer address, as written by users: `scheme://host:port`,
/// `scheme://[v6]:port`, `unix:///path`.
struct SocketUrl {
  std::string scheme;
  std::string host;  ///< Without brackets. For unix: the path.
  std::uint16_t port = 0;

  [[nodiscard]] bool isUnix() const { return scheme == "unix"; }
  /// frames://, texts://, tcps://, stormos:// and wss://: with TLS.
  [[nodiscard]] bool isTls() const;
  /// The scheme without its mark of TLS: "frame".
  [[nodiscard]] std::string protocol() const;
  [[nodiscard]] std::string text() const;
};

/// Throws std::invalid_argument with a sentence that names the error and shows the correct form.
SocketUrl parseSocketUrl(std::string_view url);

}  // namespace stormo
