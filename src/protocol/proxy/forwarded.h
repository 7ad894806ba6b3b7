#pragma once

#include <stormo/http_request.h>
#include <stormo/proxies.h>

#include <optional>
#include <string_view>

#include "protocol/proxy/ip_address.h"
#include "protocol/proxy/trusted_proxies.h"

namespace stormo::proxy {

/// "x-forwarded-for", "x-real-ip" or "forwarded", in any case; nullopt for other names.
[[nodiscard]] std::optional<ForwardedHeader> forwardedHeaderNamed(std::string_view name);

/// What a request's header states about the client.
struct ForwardedClient {
  /// Empty if the header states no address: the client has the address of the peer.
  std::optional<IpEndpoint> client = std::nullopt;
  /// A `Forwarded` header breaks its grammar (RFC 7239 4). What the proxy has appended cannot be
  /// distinguished from what the client has sent, so the request must be refused.
  bool isMalformed = false;

  bool operator==(const ForwardedClient&) const = default;
};

/// Finds the client in this header, which a trusted proxy has set. All fields of the name are one
/// list. The addresses are read from the right, as each proxy appends that of its peer: the first
/// one that is not trusted is the client's. If all of them are trusted, it is the leftmost. An
/// entry without an address ends the search: the address at its right is the client's.
[[nodiscard]] ForwardedClient forwardedClient(const HttpRequest& request, ForwardedHeader header,
                                              const TrustedProxies& trusted);

/// Parses a node identifier: "203.0.113.7", "203.0.113.7:1234", "2001:db8::1", "[2001:db8::1]",
/// "[2001:db8::1]:1234" (RFC 7239 6). A port that is obfuscated ("203.0.113.7:_x") is 0. Nullopt
/// for "unknown", obfuscated identifiers ("_hidden") and anything else.
[[nodiscard]] std::optional<IpEndpoint> parseNode(std::string_view node);

}  // namespace stormo::proxy
