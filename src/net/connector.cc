#include <stormo/connector.h>
#include <stormo/timer.h>

#include <algorithm>
#include <stdexcept>

#include "net/codec/package_codec.h"
#include "net/connection_table.h"
#include "net/persistent_connection.h"
#include "sys/address.h"

namespace stormo {
namespace {

Protocol protocolOf(const SocketUrl& url, std::optional<Protocol> given) {
  Protocol protocol =
      given ? std::move(*given) : Protocol::named(url.isUnix() ? "tcp" : url.protocol());
  if (protocol.isWebSocket()) {
    throw std::invalid_argument("an outgoing connection cannot speak " + protocol.name());
  }
  return protocol;
}

}  // namespace

struct Connector::Impl {
  Impl(Connector& connector, std::string url, std::optional<Protocol> given)
      : address(parseSocketUrl(url)),
        protocol(protocolOf(address, std::move(given))),
        codec(protocol),
        outgoing(address, codec) {
    // The user's handlers are called in place: one that runs may call connect().
    net::ConnectionHandlers& handlers = outgoing.endpoint.handlers;
    handlers.onMessage = [&connector](Connection& connection, Message message) {
      if (connector.onMessage) connector.onMessage(connection, message);
    };
    handlers.onBufferFull = [&connector](Connection& connection) {
      if (connector.onBufferFull) connector.onBufferFull(connection);
    };
    handlers.onBufferDrain = [&connector](Connection& connection) {
      if (connector.onBufferDrain) connector.onBufferDrain(connection);
    };
    outgoing.onConnect = [&connector](Connection& connection) {
      if (connector.onConnect) connector.onConnect(connection);
    };
    outgoing.onClose = [&connector](Connection& connection) {
      if (connector.onClose) connector.onClose(connection);
    };
    outgoing.onError = [&connector](const Error& error) {
      if (connector.onError) connector.onError(error);
    };
  }

  SocketUrl address;
  Protocol protocol;
  net::PackageCodec codec;
  net::PersistentConnection outgoing;
};

Connector::Connector(std::string url, std::optional<Protocol> protocol)
    : impl_(std::make_unique<Impl>(*this, std::move(url), std::move(protocol))) {}

Connector::~Connector() = default;

void Connector::connect() {
  net::PersistentConnection& outgoing = impl_->outgoing;
  if (impl_->address.isTls()) outgoing.useTls(tls);
  outgoing.endpoint.packageBytesMax = maxPackageSize.value_or(impl_->protocol.maxPackageSize);
  outgoing.endpoint.sendQueueBytesMax = maxSendBufferSize;
  outgoing.endpoint.handshakeTimeout = connectTimeout;
  outgoing.retryFirst = reconnect;
  outgoing.retryMax = reconnectMax;
  outgoing.connect();
}

void Connector::close() { impl_->outgoing.close(); }

Connection* Connector::connection() const { return impl_->outgoing.connection(); }

}  // namespace stormo
