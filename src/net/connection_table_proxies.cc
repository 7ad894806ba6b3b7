// What reverse proxies state about their clients.
#include "net/connection_table.h"
#include "net/limits/admission.h"
#include "net/proxy_peers.h"
#include "net/reactor.h"
#include "protocol/proxy/proxy_header.h"
#include "sys/sockets.h"

namespace stormo::net {

std::size_t ConnectionTable::receiveProxyHeader(ConnectionImpl& connection,
                                                std::string_view bytes) {
  proxy::ProxyHeader header;
  switch (proxy::decodeProxyHeader(bytes, header)) {
    case proxy::ProxyDecode::NeedMore:
      return 0;
    case proxy::ProxyDecode::Malformed:
      refuseProxy(connection, "no valid PROXY header");
      return bytes.size();
    case proxy::ProxyDecode::Ok:
      break;
  }
  if (header.client) connection.remote = StoredAddress(addressOf(*header.client));
  // A proxy that passes on TCP does not set HTTP headers: they are the client's own.
  connection.ignoresForwarded = !header.client;
  enterAddress(connection);
  begin(connection);
  return header.bytes;
}

void ConnectionTable::refuseProxy(ConnectionImpl& connection, std::string_view reason) {
  counters().badPeers.add();
  connection.endpoint->proxies->logRefusal(connection.remote.get(), reason, loop().now);
  die(connection);
}

bool ConnectionTable::takeForwardedClient(ConnectionImpl& connection, const HttpRequest& request) {
  const ProxyPeers* const proxies = connection.endpoint->proxies;
  if (proxies == nullptr || connection.ignoresForwarded) return true;
  if (connection.isForwarded) {
    leaveAddress(connection);
    connection.remote = StoredAddress(peerAddress(connection.fd.get()));
  } else if (!proxies->trusts(connection.remote.get())) {
    return true;
  }
  connection.isForwarded = true;
  const proxy::ForwardedClient found = proxies->read(request);
  if (found.client) connection.remote = StoredAddress(addressOf(*found.client));
  enterAddress(connection);
  return !found.isMalformed;
}

void ConnectionTable::leaveAddress(ConnectionImpl& connection) {
  Admission* const admission = connection.endpoint->admission;
  if (admission != nullptr) admission->leaveAddress(connection.ticket, connection.remote.get());
}

/// The address of its client became known. A proxy's own connections are not limited by theirs.
void ConnectionTable::enterAddress(ConnectionImpl& connection) {
  Admission* const admission = connection.endpoint->admission;
  const Address client = connection.remote.get();
  const ProxyPeers* const proxies = connection.endpoint->proxies;
  if (admission == nullptr || (proxies != nullptr && proxies->trusts(client))) return;
  admission->enterAddress(connection.ticket, client);
}

}  // namespace stormo::net
