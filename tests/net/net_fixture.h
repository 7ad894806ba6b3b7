#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "net/package_codec.h"
#include "net/reactor.h"
#include "net/websocket_codec.h"
#include "support/loop_fixture.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::net {

/// A connection in the table, by its id, and its other end.
struct Connected {
  ConnectionId id;
  test::RawPeer peer;
};

/// Connections of one endpoint on one loop. What their handlers hear is written down in `heard`.
class NetTest : public test::LoopTest {
 protected:
  NetTest() { use(std::make_unique<PackageCodec>(Protocol::text())); }

  void use(std::unique_ptr<Codec> next) {
    codec = std::move(next);
    endpoint.codec = codec.get();
    hear();
  }

  /// Handlers that write down what they hear. Tests replace those that shall do something.
  void hear() {
    auto& handlers = endpoint.handlers;
    handlers.onConnect = [this](Connection&) { heard.push_back("connect"); };
    handlers.onMessage = [this](Connection&, Message message) {
      heard.push_back(std::string(message.data));
    };
    handlers.onClose = [this](Connection& connection) {
      heard.push_back("close " + std::to_string(static_cast<int>(connection.closeCode())));
    };
    handlers.onError = [this](Connection&, const Error& error) {
      heard.push_back(std::string("error in ") + error.step);
    };
    handlers.onBufferFull = [this](Connection&) { heard.push_back("full"); };
    handlers.onBufferDrain = [this](Connection&) { heard.push_back("drain"); };
  }

  Connected accept(test::SocketPair pair = test::unixPair()) {
    const Address remote = peerAddress(pair.tested.get());
    const ConnectionImpl* peer = table.accept(std::move(pair.tested), endpoint, remote).value();
    return {peer->id.packed(), std::move(pair.peer)};
  }
  /// Nobody hears of it; for tests that look at what comes after.
  Connected acceptQuietly(test::SocketPair pair = test::unixPair()) {
    Connected made = accept(std::move(pair));
    heard.clear();
    return made;
  }

  /// The connection, which must be usable.
  Connection& at(const Connected& of) {
    ConnectionImpl* peer = table.find(of.id);
    if (peer == nullptr) throw std::logic_error("that connection is gone");
    return *peer;
  }

  /// What was heard since the last call.
  std::vector<std::string> takeHeard() { return std::exchange(heard, {}); }

  Counters& counters() { return LoopImpl::of(loop).counters(); }

  std::unique_ptr<Codec> codec;
  Endpoint endpoint;
  Reactor& reactor = Reactor::of(loop);
  ConnectionTable& table = reactor.connections;
  std::vector<std::string> heard;
};

}  // namespace stormo::net
