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
  Client speaker = v1(0);
  const std::string position = join(speaker, "kept");
  ask(speaker, R"({"id":2,"cmd":"leave","group":"kept"})");
  for (int i = 0; i < 60; ++i) send(speaker, "kept", std::string(5000, '.'));
  Client back = v1(1);
  back.say(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
  EXPECT_TRUE(turnUntil([&] {
    back.socket.all();
    return back.socket.ended();
  }));
}

TEST_F(V1ClientsTest, ManyReplaysToOneClientWaitForRoomAndDisconnectNobody) {
  settings.sendBufferBytesMax = 200'000;
  settings.options.replayBytesPerSecond = 1 << 30;
  start();
  Client speaker = v1(0);
  const std::string position = join(speaker, "start");
  for (int group = 0; group < 20; ++group) {
    for (int i = 0; i < 12; ++i) {
      send(speaker, "kept" + std::to_string(group), std::string(5000, '.'));
    }
  }
  Client back = v1(1);
  for (int group = 0; group < 20; ++group) {
    back.say(R"({"id":1,"cmd":"join","group":"kept)" + std::to_string(group) + "\"," + position +
             "}");
  }
  const auto words = brief(await(back, 20 * 13));
  EXPECT_EQ(std::ranges::count(words, "recovered"), 20);
  EXPECT_FALSE(back.socket.ended());
}

TEST_F(V1ClientsTest, ReplaysToOneClientHaveARateAndOtherJoinsOvertakeThem) {
  settings.options.replayBytesPerSecond = 1000;
  start();
  Client speaker = v1(0);
  const std::string position = join(speaker, "start");
  for (const char* group : {"kept1", "kept2"}) send(speaker, group, std::string(50'000, '.'));
  Client back = v1(1);
  for (int id = 1; id <= 2; ++id) {
    back.say(R"({"id":)" + std::to_string(id) + R"(,"cmd":"join","group":"kept)" +
             std::to_string(id) + "\"," + position + "}");
  }
  EXPECT_THAT(brief(await(back, 2)), ElementsAre(std::string(50'000, '.'), "recovered"));
  EXPECT_THAT(ask(back, R"({"id":3,"cmd":"join","group":"g"})"), HasSubstr("\"id\":3,\"ok\":true"));
  Client other = v1(1);
  other.say(R"({"id":1,"cmd":"join","group":"kept2",)" + position + "}");
  EXPECT_EQ(brief(await(other, 2)).back(), "recovered") << "the rate is each client's own";
  EXPECT_THAT(back.all(), IsEmpty()) << "50 s too early";
  back.say(R"({"id":4,"cmd":"leave","group":"kept2"})");
  EXPECT_THAT(brief(await(back, 2)), ElementsAre("left", "ok 4"));
}

TEST_F(V1ClientsTest, AReplayAfterALeaveCountsForTheRate) {
  settings.options.replayBytesPerSecond = 1000;
  start();
  Client speaker = v1(0);
  const std::string position = join(speaker, "start");
  for (const char* group : {"kept1", "kept2"}) send(speaker, group, std::string(50'000, '.'));
  const auto joinWith = [&](const std::string& group) {
    return R"({"id":1,"cmd":"join","group":")" + group + "\"," + position + "}";
  };
  Client hasty = v1(1);
  using test::WebSocketClient;
  hasty.socket.raw().send(WebSocketClient::text(joinWith("kept1")) +
                          WebSocketClient::text(R"({"id":2,"cmd":"leave","group":"kept1"})"));
  EXPECT_THAT(brief(await(hasty, 2)), ElementsAre("left", "ok 2"));
  hasty.say(joinWith("kept2"));
  Client other = v1(1);
  other.say(joinWith("kept2"));
  EXPECT_EQ(brief(await(other, 2)).back(), "recovered");
  EXPECT_THAT(hasty.all(), IsEmpty()) << "50 s too early";
}

TEST_F(V1ClientsTest, JoinsOfClientsTakeTurns) {
  for (auto& worker : workers) worker.emplace(loop, settings, channelUrl());
  Client greedy = v1(), modest = v1();
  for (int id = 1; id <= 200; ++id) {
    const std::string number = std::to_string(id);
    greedy.say(R"({"id":)" + number + R"(,"cmd":"join","group":"g)" + number + "\"}");
  }
  EXPECT_EQ(ask(greedy, R"({"id":999,"cmd":"ping"})"), R"({"id":999,"ok":true})");
  modest.say(R"({"id":1,"cmd":"join","group":"g"})");
  EXPECT_EQ(ask(modest, R"({"id":2,"cmd":"ping"})"), R"({"id":2,"ok":true})");
  startChannel();
  EXPECT_TRUE(turnUntil([&] { return modest.all().size() == 1; }));
  EXPECT_LT(greedy.all().size(), 100u);
  EXPECT_TRUE(turnUntil([&] { return greedy.all().size() == 200; }));
}

TEST_F(V1ClientsTest, LongReplaysComeOneAtATime) {
  start();
  Client speaker = v1(0);
  const std::string position = join(speaker, "start");
  for (int i = 0; i < 20; ++i) send(speaker, "kept", std::string(5000, '.'));
  std::vector<Client> crowd;
  for (int i = 0; i < 20; ++i) crowd.push_back(v1(1));
  for (Client& each : crowd) each.say(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
  std::size_t before = 0;
  std::size_t mostInATurn = 0;
  const auto recovered = [&] {
    return static_cast<std::size_t>(
        std::ranges::count_if(crowd, [](Client& each) { return each.all().size() == 21; }));
  };
  EXPECT_TRUE(turnUntil([&] {
    const std::size_t now = recovered();
    mostInATurn = std::max(mostInATurn, now - before);
    before = now;
    return now == crowd.size();
  }));
  EXPECT_LE(mostInATurn, 2u);
}

}  // namespace
}  // namespace stormo::server
