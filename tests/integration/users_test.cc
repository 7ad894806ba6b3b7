// A program with a link to the Channel commands the clients of all workers: docs/control.md.
#include <gmock/gmock.h>
#include <signal.h>

#include <vector>

#include "integration/harness/with_stormo.h"
#include "integration/harness/workerman_peer.h"
#include "support/websocket_client.h"
#include "sys/address.h"

namespace stormo::integration {
namespace {

using test::WebSocketClient;

class Users : public WithStormo {
 protected:
  WorkermanPeer backend() {
    std::uint16_t port = 0;
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") != "channel") continue;
      const auto listen = row.at("listen").get<std::string>();  // "unix:///…, frame://…"
      port = parseSocketUrl(listen.substr(listen.find("frame://"))).port;
    }
    return {deadline, port};
  }
  static std::string next(WebSocketClient& client) {
    const auto frame = client.await();
    return frame ? frame->payload : "the connection has ended";
  }
};

TEST_F(Users, CommandsAndMessagesReachTheClientsOfAllWorkersOverAKilledChannel) {
  startStormo(
      {"--workers", "2", "--channel-listen", "frame://127.0.0.1:0", "--history-groups", "news*"});
  std::vector<WebSocketClient> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(WebSocketClient::open(stormo.port()));
    all.back().sendText("ping");
    EXPECT_EQ(next(all.back()), "pong");
  }
  for (const std::string group : {"news1", "news2"}) {
    WorkermanPeer php = backend();
    php.publish("stormo.control", Value::array({{"cmd", "join"}, {"all", true}, {"group", group}}));
    php.publish("send_to_group", Value::array({{"group_id", group}, {"message", "at once"}}));
    php.publish("send_to_group", Value::array({{"all", true}, {"message", "to all"}}));
    for (WebSocketClient& each : all) {
      const std::vector<std::string> received = {next(each), next(each)};
      EXPECT_THAT(received, testing::UnorderedElementsAre("at once", "to all"));
    }
    const pid_t channel = stormo.pids("channel").at(0);
    ::kill(channel, SIGKILL);
    stormo.waitForStatus("another Channel", [&](const Json& report) {
      for (const Json& row : report.at("processes")) {
        if (row.at("kind") == "channel")
          return row.at("pid") != channel && row.at("status") == "idle";
      }
      return false;
    });
  }
  all[0].sendText(R"({"cmd":"whoami"})");
  const std::string reply = next(all[0]);
  const std::string id = reply.substr(reply.find("client\":\"") + 9, 32);
  WorkermanPeer php = backend();
  php.publish("send_to_group", Value::array({{"client_id", id}, {"message", "to one"}}));
  EXPECT_EQ(next(all[0]), "to one");
  php.publish("stormo.control",
              Value::array({{"cmd", "disconnect"}, {"client", id}, {"code", 4000}}));
  const auto frame = all[0].await();
  ASSERT_TRUE(frame);
  EXPECT_EQ(WebSocketClient::closeCode(*frame), CloseCode{4000});
  all[1].sendText("ping");
  EXPECT_EQ(next(all[1]), "pong");
}

}  // namespace
}  // namespace stormo::integration
