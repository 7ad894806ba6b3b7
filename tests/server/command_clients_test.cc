#include "server/server_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Frame = test::WebSocketClient::Frame;

class CommandClientsTest : public ServerTest {
 protected:
  /// Everything that came until the connection was closed.
  std::vector<Frame> awaitClose(Client& client) {
    std::vector<Frame> frames;
    EXPECT_TRUE(turnUntil([&] {
      for (Frame& frame : client.socket.all()) frames.push_back(std::move(frame));
      return !frames.empty() && frames.back().opcode == websocket::Opcode::Close;
    }));
    return frames;
  }
};

TEST_F(CommandClientsTest, AHeartbeatIsAnsweredInBothProtocolsAndEndsNoConnection) {
  settings.options.badCommandsMax = 3;
  start();
  Client plain = connect(0), v1 = connect(0, "stormo.v1");
  for (int i = 0; i < 20; ++i) {
    for (Client* client : {&plain, &v1}) {
      client->send("ping");
      client->send(R"({"type":"ping"})");
      EXPECT_THAT(await(*client, 2), ElementsAre("pong", R"({"type":"pong"})"));
    }
    plain.send(R"({"cmd":"ping"})");
    EXPECT_THAT(await(plain, 1), ElementsAre(R"({"cmd":"pong"})"));
  }
}

TEST_F(CommandClientsTest, BadCommandsInARowWithinTheTimeCloseTheConnectionAndNameTheLimit) {
  settings.options.badCommandsMax = 3;
  settings.options.badCommandsTime = std::chrono::seconds(3600);
  start();
  for (const char* subprotocol : {"", "stormo.v1"}) {
    Client client = connect(0, subprotocol);
    for (int i = 0; i < 3; ++i) client.send("?");
    const std::vector<Frame> frames = awaitClose(client);
    ASSERT_EQ(frames.size(), 4u) << subprotocol;
    EXPECT_EQ(test::WebSocketClient::closeCode(frames.back()), CloseCode::PolicyViolation);
    EXPECT_THAT(test::WebSocketClient::closeReason(frames.back()),
                HasSubstr("3 bad commands in a row within 3600 s"));
  }
}

TEST_F(CommandClientsTest, BadCommandsThatAreFurtherApartThanTheLimitCloseNoConnection) {
  settings.options.badCommandsMax = 3;
  settings.options.badCommandsTime = std::chrono::seconds(0);
  start();
  for (const char* subprotocol : {"", "stormo.v1"}) {
    Client client = connect(0, subprotocol);
    for (int i = 0; i < 20; ++i) {
      client.send(R"({"event":"heartbeat"})");
      EXPECT_THAT(await(client, 1), ElementsAre(HasSubstr("error")));
    }
  }
}

}  // namespace
}  // namespace stormo::server
