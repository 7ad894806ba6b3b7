#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "net/codec/package_codec.h"
#include "net/codec/websocket_codec.h"
#include "net/reactor.h"
#include "support/loop_fixture.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::net {

/// The id of a connection in the table, and its other end.
struct Connected {
  ConnectionId id;
  test::RawPeer peer;
};

/// Connections of one endpoint on one loop. Their handlers record each call in `events`.
class NetTest : public test::LoopTest {
 protected:
  NetTest() { use(std::make_unique<PackageCodec>(Protocol::text())); }

  void use(std::unique_ptr<Codec> next) {
    codec = std::move(next);
    endpoint.codec = codec.get();
    recordEvents();
  }

  /// Sets handlers that record their calls. Tests replace some of them.
  void recordEvents() {
    auto& handlers = endpoint.handlers;
    handlers.onConnect = [this](Connection&) { events.push_back("connect"); };
    handlers.onMessage = [this](Connection&, Message message) {
      events.push_back(std::string(message.data));
    };
    handlers.onClose = [this](Connection& connection) {
      events.push_back("close " + std::to_string(static_cast<int>(connection.closeCode())));
    };
    handlers.onError = [this](Connection&, const Error& error) {
      events.push_back(std::string("error in ") + error.step);
    };
    handlers.onBufferFull = [this](Connection&) { events.push_back("full"); };
    handlers.onBufferDrain = [this](Connection&) { events.push_back("drain"); };
  }

  Connected accept(test::SocketPair pair = test::unixPair()) {
    const Address remote = peerAddress(pair.tested.get());
    const ConnectionImpl* connection =
        table.accept(std::move(pair.tested), endpoint, remote).value();
    return {connection->id.packed(), std::move(pair.peer)};
  }
  /// Accepts, and drops the event of onConnect.
  Connected acceptQuietly(test::SocketPair pair = test::unixPair()) {
    Connected made = accept(std::move(pair));
    events.clear();
    return made;
  }

  /// The connection, which must be usable.
  Connection& at(const Connected& of) {
    ConnectionImpl* connection = table.find(of.id);
    if (connection == nullptr) throw std::logic_error("that connection is closed");
    return *connection;
  }

  /// The events since the last call.
  std::vector<std::string> takeEvents() { return std::exchange(events, {}); }

  Counters& counters() { return LoopImpl::of(loop).counters(); }

  std::unique_ptr<Codec> codec;
  Endpoint endpoint;
  Reactor& reactor = Reactor::of(loop);
  ConnectionTable& table = reactor.connections;
  std::vector<std::string> events;
};

}  // namespace stormo::net
