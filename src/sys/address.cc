#include "sys/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <stdexcept>

namespace stormo {
namespace {

std::errc resolverError(int code) {
  switch (code) {
    case EAI_AGAIN:
      return std::errc::resource_unavailable_try_again;
    case EAI_MEMORY:
      return std::errc::not_enough_memory;
    default:
      return std::errc::host_unreachable;
  }
}

}  // namespace

std::optional<Address> Address::ip(std::string_view host, std::uint16_t port) {
  if (host.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would stop there
  const std::string text(host);
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size_ = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size_ = sizeof *v6;
    return address;
  }
  return std::nullopt;
}

std::optional<Address> Address::unixPath(std::string_view path) {
  Address address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage_);
  if (path.empty() || path.size() >= sizeof un->sun_path) return std::nullopt;
  if (path.find('\0') != std::string_view::npos) return std::nullopt;
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  address.size_ = static_cast<socklen_t>(kPathOffset + path.size() + 1);
  return address;
}

Address Address::fromRaw(const sockaddr* raw, socklen_t size) {
  Address address;
  address.size_ = size < sizeof address.storage_ ? size : sizeof address.storage_;
  std::memcpy(&address.storage_, raw, address.size_);
  if (address.family() != AF_INET6) return address;
  // A dual-stack socket reports an IPv4 peer as ::ffff:203.0.113.7.
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage_);
  if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) return address;
  Address mapped;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&mapped.storage_);
  v4->sin_family = AF_INET;
  v4->sin_port = v6->sin6_port;
  std::memcpy(&v4->sin_addr, &v6->sin6_addr.s6_addr[12], sizeof v4->sin_addr);
  mapped.size_ = sizeof *v4;
  return mapped;
}

std::vector<Address> Address::known(std::string_view host, std::uint16_t port) {
  if (const auto numeric = ip(host, port)) return {*numeric};
  if (host == "localhost") return {*ip("127.0.0.1", port), *ip("::1", port)};
  return {};
}

Result<std::vector<Address>> Address::resolve(const std::string& host, std::uint16_t port) {
  std::vector<Address> addresses = known(host, port);
  if (!addresses.empty()) return addresses;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return Error{std::make_error_code(resolverError(code)), "getaddrinfo"};
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    addresses.push_back(fromRaw(each->ai_addr, each->ai_addrlen));
  }
  ::freeaddrinfo(found);
  return addresses;
}

bool Address::isLocal() const {
  if (isUnix()) return true;
  if (family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage_);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
  constexpr std::size_t kMappedV4 = 12;  // ::ffff:127.0.0.1, of a client of [::]
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[kMappedV4] == 127);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_INET:
      ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text,
                  sizeof text);
      return text;
    case AF_INET6:
      ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text,
                  sizeof text);
      return text;
    case AF_UNIX:
      if (size_ <= kPathOffset) return "";  // the unnamed end of a unix connection
      return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
    default:
      return "";
  }
}

std::uint16_t Address::port() const {
  switch (family()) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    default:
      return 0;
  }
}

std::string Address::text() const {
  switch (family()) {
    case AF_INET:
      return host() + ':' + std::to_string(port());
    case AF_INET6:
      return '[' + host() + "]:" + std::to_string(port());
    case AF_UNIX:
      return "unix://" + host();
    default:
      return "";
  }
}

StoredAddress::StoredAddress(const Address& address) : size_(address.size()) {
  if (size_ > raw_.size()) {
    longer_ = std::make_unique<const Address>(address);
  } else {
    std::memcpy(raw_.data(), address.raw(), size_);
  }
}

Address StoredAddress::get() const {
  if (longer_ != nullptr) return *longer_;
  return Address::fromRaw(reinterpret_cast<const sockaddr*>(raw_.data()), size_);
}

std::string SocketUrl::text() const {
  if (isUnix()) return "unix://" + host;
  const bool v6 = host.find(':') != std::string::npos;
  return scheme + "://" + (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

bool SocketUrl::isTls() const {
  constexpr std::string_view kSchemes[] = {"frames", "texts", "tcps", "stormos", "wss"};
  return std::ranges::find(kSchemes, scheme) != std::end(kSchemes);
}

std::string SocketUrl::protocol() const {
  return isTls() ? scheme.substr(0, scheme.size() - 1) : scheme;
}

SocketUrl parseSocketUrl(std::string_view url) {
  const auto fail = [&](std::string_view what) -> SocketUrl {
    throw std::invalid_argument("bad address '" + std::string(url) + "': " + std::string(what) +
                                " (write scheme://host:port, scheme://[v6]:port or unix:///path)");
  };
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0) return fail("no scheme");
  SocketUrl parsed{.scheme = std::string(url.substr(0, colon)), .host = {}, .port = 0};
  std::string_view rest = url.substr(colon + 3);
  if (parsed.isUnix()) {
    if (!Address::unixPath(rest)) return fail("the path is empty or over 107 bytes");
    if (rest.front() != '/') return fail("the path must be absolute");
    parsed.host = std::string(rest);
    return parsed;
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t portColon = rest.rfind(':');
  if (portColon == std::string_view::npos) return fail("no port");
  std::string_view host = rest.substr(0, portColon);
  const std::string_view port = rest.substr(portColon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return fail("the port must follow the bracket");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail("an IPv6 address needs brackets");
  }
  if (host.empty()) return fail("no host");
  const auto [end, errc] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
  if (errc != std::errc{} || end != port.data() + port.size() || port.empty()) {
    return fail("the port must be a number from 0 to 65535");
  }
  parsed.host = std::string(host);
  return parsed;
}

}  // namespace stormo
