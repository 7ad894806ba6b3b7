// Tests of the chat in one process, without fixed ports and sleeps.
#include "chat.h"

#include <gtest/gtest.h>
#include <stormo/testing.h>

using stormo::test::Client;

class ChatTest : public testing::Test {
 protected:
  Client enter(const std::string& room, const std::string& name) {
    Client client = program.connect(chat.worker, room);
    client.send(R"({"name":")" + name + "\"}");
    EXPECT_EQ(client.receive(), R"({"who":")" + name + R"(","text":"came in"})");
    return client;
  }

  Chat chat{"websocket://127.0.0.1:0"};
  stormo::test::Program program;
};

TEST_F(ChatTest, AMessageReachesItsRoomAndNoOther) {
  Client ann = enter("/kitchen", "Ann");
  Client eve = enter("/garden", "Eve");
  Client ben = enter("/kitchen", "Ben");
  EXPECT_EQ(ann.receive(), R"({"who":"Ben","text":"came in"})");
  ann.send(R"({"text":"ciao"})");
  EXPECT_EQ(ben.receive(), R"({"who":"Ann","text":"ciao"})");
  EXPECT_TRUE(eve.receiveAll().empty());
}

TEST_F(ChatTest, OtherUsersReceiveALeave) {
  Client ann = enter("/kitchen", "Ann");
  Client ben = enter("/kitchen", "Ben");
  ann.receiveAll();
  ben.close();
  EXPECT_EQ(ann.receive(), R"({"who":"Ben","text":"left"})");
}

TEST_F(ChatTest, WithoutARoomTheHandshakeIsRefused) {
  EXPECT_EQ(program.connect(chat.worker, "/").status(), 404);
  EXPECT_EQ(program.connect(chat.worker, "/" + std::string(300, 'x')).status(), 404);
}

TEST_F(ChatTest, IdleConnectionsAreClosed) {
  Client ann = enter("/kitchen", "Ann");
  chat.closeIdleConnections();
  ann.send(R"({"text":"I am here"})");
  ann.receive();
  chat.closeIdleConnections();
  EXPECT_FALSE(ann.isClosed());
  chat.closeIdleConnections();
  ann.waitForClose();
  EXPECT_EQ(ann.closeReason(), "idle for a minute");
}
