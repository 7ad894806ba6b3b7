#pragma once

#include <stormo/connector.h>

#include <memory>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/net_fixture.h"
#include "sys/sockets.h"

namespace stormo::net {

using namespace std::chrono_literals;

/// The server uses text and records its events in `events`, the connector in `reported`.
class ConnectorTest : public NetTest {
 protected:
  ConnectorTest() : listener(loop, endpoint) { listen(0); }

  void listen(std::uint16_t port) {
    listening = std::move(*listenOn(*Address::ip("127.0.0.1", port)));
    listener.start(listening.get());
  }
  void stopListening() {
    listener.stopAll();
    listening.reset();
  }
  std::uint16_t port() const { return localAddress(listening.get()).port(); }
  std::string url() const { return "text://127.0.0.1:" + std::to_string(port()); }

  std::unique_ptr<Connector> connectorTo(const std::string& where) {
    auto connector = std::make_unique<Connector>(where);
    connector->reconnect = 5ms;
    connector->onConnect = [this](Connection&) { reported.push_back("connect"); };
    connector->onClose = [this](Connection&) { reported.push_back("close"); };
    connector->onError = [this](const Error& error) { reported.push_back(error.step); };
    connector->onMessage = [this](Connection&, Message message) {
      reported.push_back(std::string(message.data));
    };
    return connector;
  }
  bool connected(Connector& connector) {
    return turnUntil([&] {
      return connector.connection() != nullptr && !reported.empty() && events.size() >= 1;
    });
  }
  std::vector<std::string> takeReported() { return std::exchange(reported, {}); }

  Listener listener;
  UniqueFd listening;
  std::vector<std::string> reported;
};

}  // namespace stormo::net
