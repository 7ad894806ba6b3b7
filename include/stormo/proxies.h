#pragma once

#include <string>
#include <vector>

namespace stormo {

/// The header of a WebSocket handshake in which a reverse proxy states the client's address.
enum class ForwardedHeader {
  XForwardedFor,  ///< `X-Forwarded-For`, to which each proxy on the way appends an address.
  XRealIp,        ///< `X-Real-IP`, one address.
  Forwarded,      ///< `Forwarded` (RFC 7239), to which each proxy on the way appends an element.
};

/// How clients behind reverse proxies get their own address, instead of the proxy's, in
/// Connection::remoteAddress(), the log and `connections`. Connection::peerAddress() remains the
/// proxy's. By default no proxy is trusted, and nothing that a client sends changes its address.
struct ProxyOptions {
  /// Proxies whose statements are believed: addresses ("10.0.0.5", "fd00::5"), networks
  /// ("10.0.0.0/8", "fd00::/8"), and "unix" for all peers of the unix sockets. Empty: none.
  std::vector<std::string> trusted;

  /// The one header that these proxies set; the other headers are ignored, because a proxy passes
  /// on those that it does not set as the client has sent them. The address is read when the
  /// request has arrived: onConnect shows the proxy's, onWebSocketConnect the client's. It is the
  /// rightmost one that is not trusted, or the leftmost one if all are; what is left of it, or of
  /// an entry without an address ("unknown", "_hidden"), may be forged and is not read. The port is
  /// 0 if the header has none. A malformed `Forwarded` is answered with 400.
  ForwardedHeader header = ForwardedHeader::XForwardedFor;

  /// The addresses, as written in the constructor and in alsoListen, whose clients are proxies that
  /// send a header of the PROXY protocol first (version 1 or 2, haproxy's proxy-protocol.txt). The
  /// client's address is known in onConnect. Such an address accepts trusted proxies only; one that
  /// does not send the header is disconnected. A proxy's own connection (LOCAL, UNKNOWN, UNSPEC)
  /// keeps its address. If the address in the header is a trusted proxy's, `header` counts, too.
  /// After a header without an address it does not.
  std::vector<std::string> proxyProtocol;
};

}  // namespace stormo
