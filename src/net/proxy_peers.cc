#include "net/proxy_peers.h"

#include <arpa/inet.h>

#include <algorithm>
#include <span>

#include "sys/log.h"

namespace stormo::net {
namespace {

template <std::size_t Bytes>
std::span<const std::uint8_t, Bytes> bytesOf(const void* address) {
  return std::span<const std::uint8_t, Bytes>(static_cast<const std::uint8_t*>(address), Bytes);
}

}  // namespace

bool trusts(const proxy::TrustedProxies& trusted, const Address& peer) {
  switch (peer.family()) {
    case AF_UNIX:
      return trusted.trustsUnix();
    case AF_INET: {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(peer.raw());
      return trusted.trusts(proxy::IpAddress::v4(bytesOf<4>(&v4->sin_addr)));
    }
    case AF_INET6: {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(peer.raw());
      return trusted.trusts(proxy::IpAddress::v6(bytesOf<16>(&v6->sin6_addr)));
    }
    default:
      return false;
  }
}

void ProxyPeers::logRefusal(const Address& peer, std::string_view reason, TimePoint now) {
  const std::string host = peer.isUnix() ? peer.text() : peer.host();
  const auto logged = refusals_.take(host, now);
  if (logged.empty()) return;
  log::warning("a peer was refused by an address with proxy-protocol remote={} reason=\"{}\"",
               logged, reason);
}

Address addressOf(const proxy::IpEndpoint& client) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(client.port);
  std::ranges::copy(client.address.bytes, raw.sin6_addr.s6_addr);
  // A mapped address becomes an IPv4 address there.
  return Address::fromRaw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
}

}  // namespace stormo::net
