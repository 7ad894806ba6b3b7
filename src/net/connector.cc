#include <stormo/connector.h>
#include <stormo/timer.h>

#include <algorithm>
#include <stdexcept>

#include "net/codec/package_codec.h"
#include "net/codec/websocket_client_codec.h"
#include "net/connection_table.h"
#include "net/persistent_connection.h"
#include "protocol/websocket/client_url.h"
#include "sys/address.h"

namespace stormo {
namespace {

/// Where a Connector connects to, and how it speaks there.
struct Target {
  SocketUrl address;
  Protocol protocol;
  websocket::ClientUrl webSocket = {};  ///< Of a WebSocket protocol.
};

Target webSocketTarget(const std::string& url, const std::optional<Protocol>& given) {
  if (given && !given->isWebSocket()) {
    throw std::invalid_argument("the URL '" + url + "' is not of the protocol " + given->name());
  }
  auto parsed = websocket::parseClientUrl(url);
  SocketUrl address{
      .scheme = parsed.secure ? "wss" : "ws", .host = parsed.host, .port = parsed.port};
  return {std::move(address), Protocol::websocket(), std::move(parsed)};
}

Target targetOf(const std::string& url, std::optional<Protocol> given) {
  if (websocket::hasClientScheme(url)) return webSocketTarget(url, given);
  SocketUrl address = parseSocketUrl(url);
  Protocol protocol =
      given ? std::move(*given) : Protocol::named(address.isUnix() ? "tcp" : address.protocol());
  if (protocol.isWebSocket() && !address.isUnix()) {
    throw std::invalid_argument("the URL '" + url +
                                "' is that of a listener (write ws://host[:port][/path][?query])");
  }
  if (protocol.isHttp()) {
    throw std::invalid_argument("the URL '" + url +
                                "' is of HTTP, which a Connector does not speak");
  }
  // The server of a unix socket has no name.
  return {std::move(address), std::move(protocol), {.host = "localhost"}};
}

/// `webSocket` is set to the codec if it is one.
std::unique_ptr<net::Codec> codecOf(const Target& target, net::WebSocketClientCodec*& webSocket) {
  if (!target.protocol.isWebSocket()) return std::make_unique<net::PackageCodec>(target.protocol);
  auto made = std::make_unique<net::WebSocketClientCodec>(target.webSocket.authority(),
                                                          target.webSocket.target);
  webSocket = made.get();
  return made;
}

}  // namespace

struct Connector::Impl {
  Impl(Connector& connector, const std::string& url, std::optional<Protocol> given)
      : Impl(connector, targetOf(url, std::move(given))) {}

  Impl(Connector& connector, Target target)
      : protocol(target.protocol),
        codec(codecOf(target, webSocket)),
        outgoing(std::move(target.address), *codec) {
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

  Protocol protocol;
  net::WebSocketClientCodec* webSocket = nullptr;  // null: another protocol
  std::unique_ptr<net::Codec> codec;
  net::PersistentConnection outgoing;
};

Connector::Connector(std::string url, std::optional<Protocol> protocol)
    : impl_(std::make_unique<Impl>(*this, url, std::move(protocol))) {}

Connector::~Connector() = default;

void Connector::connect() {
  net::PersistentConnection& outgoing = impl_->outgoing;
  outgoing.useTls(tls);
  if (impl_->webSocket != nullptr) {
    if (outgoing.connection() == nullptr) impl_->webSocket->use(websocket);
    outgoing.endpoint.pingInterval = pingInterval;
  }
  outgoing.endpoint.pongTimeout = pongTimeout;
  outgoing.endpoint.packageBytesMax = maxPackageSize.value_or(impl_->protocol.maxPackageSize);
  outgoing.endpoint.sendQueueBytesMax = maxSendBufferSize;
  outgoing.endpoint.handshakeTimeout = connectTimeout;
  outgoing.retryFirst = reconnect;
  outgoing.retryMax = reconnectMax;
  outgoing.connect();
}

void Connector::close() { impl_->outgoing.close(); }

Connection* Connector::connection() const { return impl_->outgoing.connection(); }

const std::string& Connector::subprotocol() const {
  static const std::string kNone;
  return impl_->webSocket == nullptr ? kNone : impl_->webSocket->subprotocol();
}

}  // namespace stormo
