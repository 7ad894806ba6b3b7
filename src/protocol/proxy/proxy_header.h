#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "protocol/proxy/ip_address.h"

namespace stormo::proxy {

/// The header of the PROXY protocol that precedes a connection (haproxy's proxy-protocol.txt).
struct ProxyHeader {
  std::size_t bytes = 0;  ///< Its length, after which the client's own bytes follow.
  /// The client. Empty if the header states none: the proxy's own connection (LOCAL), UNKNOWN,
  /// UNSPEC, and clients of unix or datagram sockets.
  std::optional<IpEndpoint> client = std::nullopt;
};

enum class ProxyDecode {
  NeedMore,
  Ok,
  Malformed,  ///< Not a PROXY header, or a longer one than kProxyHeaderBytesMax.
};

/// The maximum length of a header, in bytes. Version 1 has at most 107 (2.1).
inline constexpr std::size_t kProxyHeaderBytesMax = 4096;

/// Parses the header of version 1 (2.1) or 2 (2.2) at the front of `in`. A wrong signature,
/// version, command, family or length is reported before the header is complete. Type-length-value
/// fields (2.2.1 to 2.2.7) are skipped, and a checksum in them is not verified. Writes `out` only
/// when Ok.
[[nodiscard]] ProxyDecode decodeProxyHeader(std::string_view in, ProxyHeader& out);

}  // namespace stormo::proxy
