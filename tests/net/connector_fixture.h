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

/// The server's side speaks text and writes to `heard`, the connector's side to `told`.
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
    connector->onConnect = [this](Connection&) { told.push_back("connect"); };
    connector->onClose = [this](Connection&) { told.push_back("close"); };
    connector->onError = [this](const Error& error) { told.push_back(error.step); };
    connector->onMessage = [this](Connection&, Message message) {
      told.push_back(std::string(message.data));
    };
    return connector;
  }
  bool connected(Connector& connector) {
    return turnUntil(
        [&] { return connector.connection() != nullptr && !told.empty() && heard.size() >= 1; });
  }
  std::vector<std::string> takeTold() { return std::exchange(told, {}); }

  Listener listener;
  UniqueFd listening;
  std::vector<std::string> told;
};

}  // namespace stormo::net
