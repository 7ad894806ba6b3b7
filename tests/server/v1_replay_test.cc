#include <algorithm>

#include "server/v1_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(V1ClientsTest, AClientThatDoesNotReadItsReplayIsDisconnected) {
  settings.sendBufferBytesMax = 100'000;
  start();
  Client publisher = v1(0);
  const std::string position = join(publisher, "kept");
  ask(publisher, R"({"id":2,"cmd":"leave","group":"kept"})");
  for (int i = 0; i < 60; ++i) send(publisher, "kept", std::string(5000, '.'));
  Client reconnected = v1(1);
  reconnected.send(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
  EXPECT_TRUE(turnUntil([&] {
    reconnected.socket.all();
    return reconnected.socket.ended();
  }));
}

TEST_F(V1ClientsTest, ManyReplaysToOneClientWaitForRoomAndDisconnectNobody) {
  settings.sendBufferBytesMax = 200'000;
  settings.options.replayBytesPerSecond = 1 << 30;
  start();
  Client publisher = v1(0);
  const std::string position = join(publisher, "start");
  for (int group = 0; group < 20; ++group) {
    for (int i = 0; i < 12; ++i) {
      send(publisher, "kept" + std::to_string(group), std::string(5000, '.'));
    }
  }
  Client reconnected = v1(1);
  for (int group = 0; group < 20; ++group) {
    reconnected.send(R"({"id":1,"cmd":"join","group":"kept)" + std::to_string(group) + "\"," +
                     position + "}");
  }
  const auto words = brief(await(reconnected, 20 * 13));
  EXPECT_EQ(std::ranges::count(words, "recovered"), 20);
  EXPECT_FALSE(reconnected.socket.ended());
}

TEST_F(V1ClientsTest, ReplaysToOneClientHaveARateAndOtherJoinsOvertakeThem) {
  settings.options.replayBytesPerSecond = 1000;
  start();
  Client publisher = v1(0);
  const std::string position = join(publisher, "start");
  for (const char* group : {"kept1", "kept2"}) send(publisher, group, std::string(50'000, '.'));
  Client reconnected = v1(1);
  for (int id = 1; id <= 2; ++id) {
    reconnected.send(R"({"id":)" + std::to_string(id) + R"(,"cmd":"join","group":"kept)" +
                     std::to_string(id) + "\"," + position + "}");
  }
  EXPECT_THAT(brief(await(reconnected, 2)), ElementsAre(std::string(50'000, '.'), "recovered"));
  EXPECT_THAT(ask(reconnected, R"({"id":3,"cmd":"join","group":"g"})"),
              HasSubstr("\"id\":3,\"ok\":true"));
  Client other = v1(1);
  other.send(R"({"id":1,"cmd":"join","group":"kept2",)" + position + "}");
  EXPECT_EQ(brief(await(other, 2)).back(), "recovered") << "the rate is each client's own";
  EXPECT_THAT(reconnected.all(), IsEmpty()) << "50 s too early";
  reconnected.send(R"({"id":4,"cmd":"leave","group":"kept2"})");
  EXPECT_THAT(brief(await(reconnected, 2)), ElementsAre("left", "ok 4"));
}

TEST_F(V1ClientsTest, AReplayAfterALeaveCountsForTheRate) {
  settings.options.replayBytesPerSecond = 1000;
  start();
  Client publisher = v1(0);
  const std::string position = join(publisher, "start");
  for (const char* group : {"kept1", "kept2"}) send(publisher, group, std::string(50'000, '.'));
  const auto joinWith = [&](const std::string& group) {
    return R"({"id":1,"cmd":"join","group":")" + group + "\"," + position + "}";
  };
  Client client = v1(1);
  using test::WebSocketClient;
  client.socket.raw().send(WebSocketClient::text(joinWith("kept1")) +
                           WebSocketClient::text(R"({"id":2,"cmd":"leave","group":"kept1"})"));
  EXPECT_THAT(brief(await(client, 2)), ElementsAre("left", "ok 2"));
  client.send(joinWith("kept2"));
  Client other = v1(1);
  other.send(joinWith("kept2"));
  EXPECT_EQ(brief(await(other, 2)).back(), "recovered");
  EXPECT_THAT(client.all(), IsEmpty()) << "50 s too early";
}

TEST_F(V1ClientsTest, JoinsOfClientsTakeTurns) {
  for (auto& worker : workers) worker.emplace(loop, settings, channelUrl());
  Client flooder = v1(), other = v1();
  for (int id = 1; id <= 200; ++id) {
    const std::string number = std::to_string(id);
    flooder.send(R"({"id":)" + number + R"(,"cmd":"join","group":"g)" + number + "\"}");
  }
  EXPECT_EQ(ask(flooder, R"({"id":999,"cmd":"ping"})"), R"({"id":999,"ok":true})");
  other.send(R"({"id":1,"cmd":"join","group":"g"})");
  EXPECT_EQ(ask(other, R"({"id":2,"cmd":"ping"})"), R"({"id":2,"ok":true})");
  startChannel();
  EXPECT_TRUE(turnUntil([&] { return other.all().size() == 1; }));
  EXPECT_LT(flooder.all().size(), 100u);
  EXPECT_TRUE(turnUntil([&] { return flooder.all().size() == 200; }));
}

TEST_F(V1ClientsTest, LongReplaysComeOneAtATime) {
  start();
  Client publisher = v1(0);
  const std::string position = join(publisher, "start");
  for (int i = 0; i < 20; ++i) send(publisher, "kept", std::string(5000, '.'));
  std::vector<Client> members;
  for (int i = 0; i < 20; ++i) members.push_back(v1(1));
  for (Client& each : members)
    each.send(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
  std::size_t before = 0;
  std::size_t mostInATurn = 0;
  const auto recovered = [&] {
    return static_cast<std::size_t>(
        std::ranges::count_if(members, [](Client& each) { return each.all().size() == 21; }));
  };
  EXPECT_TRUE(turnUntil([&] {
    const std::size_t now = recovered();
    mostInATurn = std::max(mostInATurn, now - before);
    before = now;
    return now == members.size();
  }));
  EXPECT_LE(mostInATurn, 2u);
}

}  // namespace
}  // namespace stormo::server
