#pragma once

#include <stormo/audience.h>
#include <stormo/channel.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/access_fixture.h"
#include "server/control.h"

namespace stormo::server {

/// A backend that sends to the clients of both workers.
class BackendTest : public AccessTest {
 protected:
  BackendTest() { server.history.groups = {"kept*"}; }

  void startAll() {
    start();
    backend.emplace(channelUrl());
    backend->connect();
    EXPECT_TRUE(turnUntil([&] { return backend->isConnected(); }));
    settle();
  }
  void send(const Audience& to, std::string_view text, std::string_view except = {}) {
    EXPECT_EQ(backend->publishToGroup(to.channelName(), text, {.except = except}),
              PublishStatus::Accepted);
  }
  void command(const Value& data) {
    EXPECT_EQ(backend->publish(kControlEvent, data), PublishStatus::Accepted);
  }
  static std::string excepting(const Audience& audience) {
    return static_cast<char>(audience.channelName().size()) + audience.channelName();
  }
  /// By the command `whoami`, of a client of either protocol.
  std::string idOf(Client& client, bool isV1) {
    const auto reply =
        parseJson(ask(client, isV1 ? R"({"id":99,"cmd":"whoami"})" : R"({"cmd":"whoami"})"));
    return reply ? std::string((*reply)["client"].asString()) : "";
  }
  Client ada(bool isV1) {
    Client client = withToken(R"({"sub":"ada","jti":"t1","iat":1000,"info":{"a":1}})", isV1);
    if (isV1) await(client, 1);  // welcome
    sync(client);
    return client;
  }

  std::optional<stormo::Channel> backend;
};

}  // namespace stormo::server
