#pragma once

#include <stormo/http_request.h>
#include <stormo/proxies.h>

#include <optional>
#include <string_view>

#include "net/refusal_log_limit.h"
#include "protocol/proxy/forwarded.h"
#include "protocol/proxy/trusted_proxies.h"
#include "sys/address.h"

namespace stormo::net {

/// True if a peer with this address is one of them.
[[nodiscard]] bool trusts(const proxy::TrustedProxies& trusted, const Address& peer);

/// The reverse proxies of an endpoint: which peers they are, and what they state of their clients.
class ProxyPeers {
 public:
  ProxyPeers(proxy::TrustedProxies trusted, ForwardedHeader header)
      : trusted_(std::move(trusted)), header_(header) {}

  /// True if a peer with this address is a trusted proxy.
  [[nodiscard]] bool trusts(const Address& peer) const { return net::trusts(trusted_, peer); }
  /// What the request of a trusted proxy states about its client.
  [[nodiscard]] proxy::ForwardedClient read(const HttpRequest& request) const {
    return proxy::forwardedClient(request, header_, trusted_);
  }
  /// Logs that a peer does not follow the PROXY protocol, which the operator must correct: at most
  /// once an hour for each host.
  void logRefusal(const Address& peer, std::string_view reason, TimePoint now);

 private:
  const proxy::TrustedProxies trusted_;
  const ForwardedHeader header_;
  RefusalLogLimit refusals_;
};

/// The address for the rest of the program.
[[nodiscard]] Address addressOf(const proxy::IpEndpoint& client);

}  // namespace stormo::net
