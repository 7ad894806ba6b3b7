#include <algorithm>

#include "server/v1_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(V1ClientsTest, MembersOfBothProtocolsAndAllWorkersReceiveEachOthersMessages) {
  start();
  Client a = v1(0), b = v1(1), plain = connect(1);
  join(a, "123");
  join(b, "123");
  plain.send(R"({"cmd":"add_group","group_id":"123"})");
  settle();
  plain.send(R"({"cmd":"send_to_group","group_id":"123","message":"ciao"})");
  EXPECT_THAT(await(a, 1),
              ElementsAre(R"({"event":"message","group":"123","offset":1,"message":"ciao"})"));
  EXPECT_THAT(await(b, 1),
              ElementsAre(R"({"event":"message","group":"123","offset":1,"message":"ciao"})"));
  EXPECT_THAT(await(plain, 1), ElementsAre("ciao"));
  a.send(R"({"id":2,"cmd":"send","group":"123","message":{"a": 1}})");
  EXPECT_THAT(await(plain, 1), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(brief(await(b, 1)), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(brief(await(a, 2)), testing::UnorderedElementsAre(R"({"a":1})", "ok 2"));
}

TEST_F(V1ClientsTest, AnUnknownSubprotocolIsNotChosen) {
  start();
  Client other{test::WebSocketClient(test::RawPeer::connect(workers[0]->port())), {}};
  other.socket.sendHandshake("/", "Sec-WebSocket-Protocol: chat\r\n");
  ASSERT_TRUE(turnUntil([&] { return other.socket.answered(); }));
  EXPECT_EQ(other.socket.header("Sec-WebSocket-Protocol"), "");
  EXPECT_EQ(ask(other, R"({"id":1,"cmd":"ping"})"), R"({"cmd":"pong"})");
}

TEST_F(V1ClientsTest, EachRequestHasOneReplyWithItsId) {
  start();
  Client a = v1();
  EXPECT_EQ(ask(a, R"({"id":7,"cmd":"ping"})"), R"({"id":7,"ok":true})");
  EXPECT_EQ(ask(a, R"({"id":8,"cmd":"session","session":"9d1f5e0b77aa4c23"})"),
            R"({"id":8,"ok":true})");
  EXPECT_THAT(ask(a, R"({"id":9,"cmd":"join","group":"g"})"),
              HasSubstr(R"({"id":9,"ok":true,"epoch":")"));
  EXPECT_EQ(ask(a, R"({"id":10,"cmd":"leave","group":"g"})"), R"({"id":10,"ok":true})");
}

TEST_F(V1ClientsTest, ErrorsHaveACode) {
  settings.options.groupsPerClientMax = 2;
  settings.options.badCommandsMax = 100;
  start();
  Client a = v1();
  EXPECT_EQ(
      ask(a, "?"),
      R"({"id":null,"ok":false,"error":{"code":"not_json","message":"the message is not valid JSON"}})");
  const auto codeOf = [&](std::string_view request) { return brief({ask(a, request)}).front(); };
  EXPECT_EQ(codeOf(R"({"id":1,"cmd":"send","group":"g"})"), "missing_field");
  EXPECT_EQ(codeOf(R"({"id":1,"cmd":"leave","group":"g"})"), "not_joined");
  join(a, "g");
  EXPECT_EQ(codeOf(R"({"id":2,"cmd":"join","group":"g"})"), "already_joined");
  join(a, "h");
  EXPECT_EQ(codeOf(R"({"id":2,"cmd":"join","group":"i"})"), "too_many_groups");
  EXPECT_EQ(codeOf(R"({"id":3,"cmd":"session","session":"0000000000000001"})"), "ok 3");
  EXPECT_EQ(codeOf(R"({"id":5,"cmd":"send","group":"nobody","message":"x"})"), "ok 5");
  EXPECT_EQ(codeOf(R"({"id":5,"cmd":"send","group":"nobody","message":"x"})"), "id_not_greater");
}

TEST_F(V1ClientsTest, TooManyErrorsInARowCloseTheConnection) {
  settings.options.badCommandsMax = 3;
  start();
  Client a = v1();
  for (int i = 0; i < 2; ++i) ask(a, "?");
  ask(a, R"({"id":1,"cmd":"ping"})");
  for (int i = 0; i < 3; ++i) a.send("?");
  std::vector<test::WebSocketClient::Frame> frames;
  ASSERT_TRUE(turnUntil([&] {
    for (auto& frame : a.socket.all()) frames.push_back(std::move(frame));
    return frames.size() == 4;
  }));
  EXPECT_EQ(test::WebSocketClient::closeCode(frames.back()), CloseCode::PolicyViolation);
}

TEST_F(V1ClientsTest, AReconnectedClientReceivesMissedMessagesThenTheReplyThenNewMessages) {
  start();
  std::string position;
  Client other = v1(0);
  {
    Client away = v1(0);
    position = join(away, "kept");
    send(other, "kept", "1");
    position = position.substr(0, position.rfind(':') + 1) + "1";
    EXPECT_THAT(brief(await(away, 1)), ElementsAre("1"));
  }
  send(other, "kept", "2");
  send(other, "something else", "-");
  send(other, "kept", "3");
  Client reconnected = v1(1);
  reconnected.send(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
  EXPECT_THAT(brief(await(reconnected, 3)), ElementsAre("2", "3", "recovered"));
  send(other, "kept", "4");
  EXPECT_THAT(brief(await(reconnected, 1)), ElementsAre("4"));
}

TEST_F(V1ClientsTest, AClientThatReconnectsTooLateGetsAGap) {
  start();
  Client other = v1(0);
  send(other, "something else", "-");
  const std::string position = join(other, "not");
  ask(other, R"({"id":2,"cmd":"leave","group":"not"})");
  send(other, "not", "1");
  Client inTime = v1(1);
  inTime.send(R"({"id":1,"cmd":"join","group":"not",)" + position + "}");
  EXPECT_THAT(brief(await(inTime, 2)), ElementsAre("1", "recovered"));
  for (int i = 0; i < 1000; ++i) send(other, "something else", "-");
  Client reconnected = v1(1);
  const std::string reply =
      ask(reconnected, R"({"id":1,"cmd":"join","group":"not",)" + position + "}");
  EXPECT_THAT(reply, HasSubstr(R"("offset":1002,"recovered":false)"));
  send(other, "not", "2");
  EXPECT_THAT(brief(await(reconnected, 1)), ElementsAre("2"));
}

TEST_F(V1ClientsTest, ManyReconnectAtOnceDuringTrafficAndMissNothing) {
  server.history.messagesMax = 1000;
  start();
  Client publisher = connect(0);
  Client first = v1(0);
  const std::string position = join(first, "kept");
  std::vector<Client> members;
  for (std::size_t i = 0; i < 60; ++i) members.push_back(v1(i % 2));
  int sent = 0;
  const auto publishNext = [&] {
    publisher.send(R"({"cmd":"send_to_group","group_id":"kept","message":")" +
                   std::to_string(++sent) + "\"}");
  };
  for (Client& each : members) {
    for (int i = 0; i < 3; ++i) publishNext();
    each.send(R"({"id":1,"cmd":"join","group":"kept",)" + position + "}");
    turn();
  }
  for (Client& each : members) {
    std::vector<std::string> words = brief(await(each, static_cast<std::size_t>(sent) + 1));
    std::erase(words, "recovered");
    ASSERT_EQ(words.size(), static_cast<std::size_t>(sent));
    for (std::size_t i = 0; i < words.size(); ++i) ASSERT_EQ(words[i], std::to_string(i + 1));
  }
}

TEST_F(V1ClientsTest, ALeaveBeforeTheJoinIsDoneEndsIt) {
  start();
  Client a = v1();
  join(a, "g");  // the worker has its link
  std::string wire;
  for (const char* request :
       {R"({"id":2,"cmd":"join","group":"h"})", R"({"id":3,"cmd":"leave","group":"h"})",
        R"({"id":4,"cmd":"join","group":"h"})"}) {
    wire += test::WebSocketClient::text(request);
  }
  a.socket.raw().send(wire);
  EXPECT_THAT(brief(await(a, 3)), ElementsAre("left", "ok 3", "ok 4"));
  send(a, "nobody", "the answer to the first join is there, too");
  EXPECT_THAT(a.all(), IsEmpty());
}

TEST_F(V1ClientsTest, AJoinWaitsForTheChannel) {
  for (auto& worker : workers) worker.emplace(loop, settings, channelUrl());
  Client a = v1();
  a.send(R"({"id":1,"cmd":"join","group":"g"})");
  a.send(R"({"id":2,"cmd":"send","group":"g","message":"x"})");
  a.send(R"({"id":3,"cmd":"ping"})");
  EXPECT_THAT(brief(await(a, 1)), ElementsAre("ok 3"));
  Client leaver = v1();
  leaver.send(R"({"id":1,"cmd":"join","group":"g"})");
  settle();
  leaver = {};
  settle();
  startChannel();
  EXPECT_THAT(brief(await(a, 3)), testing::UnorderedElementsAre("ok 1", "x", "ok 2"));
}

TEST_F(V1ClientsTest, PositionsOutliveTheChannel) {
  start();
  Client a = v1(0);
  const std::string before = join(a, "kept");
  Client other = v1(1);
  send(other, "kept", "1");
  EXPECT_THAT(brief(await(a, 1)), ElementsAre("1"));
  restartChannel();
  send(other, "kept", "2");
  EXPECT_THAT(brief(await(a, 1)), ElementsAre("2"));
  Client late = v1(1);
  late.send(R"({"id":1,"cmd":"join","group":"kept",)" + before + "}");
  EXPECT_THAT(brief(await(late, 3)), ElementsAre("1", "2", "recovered"));
}

TEST_F(V1ClientsTest, ALostLogClosesMembersAndRecoversNothing) {
  start();
  Client a = v1(0), outside = v1(0);
  const std::string before = join(a, "kept");
  records = {};
  restartChannel();
  std::vector<test::WebSocketClient::Frame> frames;
  ASSERT_TRUE(turnUntil([&] {
    for (auto& frame : a.socket.all()) frames.push_back(std::move(frame));
    return !frames.empty();
  }));
  EXPECT_EQ(test::WebSocketClient::closeCode(frames.back()), CloseCode::ServiceRestart);
  EXPECT_EQ(ask(outside, R"({"id":1,"cmd":"ping"})"), R"({"id":1,"ok":true})");
  outside.send(R"({"id":2,"cmd":"join","group":"kept",)" + before + "}");
  EXPECT_THAT(brief(await(outside, 1)), ElementsAre("not recovered"));
}

TEST_F(V1ClientsTest, AResentSendOfASessionIsDeliveredOnce) {
  start();
  Client member = v1(1);
  join(member, "g");
  const std::string session = R"({"id":1,"cmd":"session","session":"9d1f5e0b77aa4c23"})";
  const std::string once = R"({"id":2,"cmd":"send","group":"g","message":"once"})";
  {
    Client a = v1(0);
    ask(a, session);
    ask(a, once);
  }
  Client a = v1(1);
  ask(a, session);
  EXPECT_EQ(ask(a, once), R"({"id":2,"ok":true})");
  Client other = v1(1);
  EXPECT_EQ(ask(other, once), R"({"id":2,"ok":true})");
  EXPECT_EQ(ask(a, R"({"id":3,"cmd":"send","group":"g","message":"end"})"),
            R"({"id":3,"ok":true})");
  EXPECT_THAT(brief(await(member, 3)), ElementsAre("once", "once", "end"))
      << "one by the session, one by the other client";
}

TEST_F(V1ClientsTest, AMessageTooLongForTheChannelIsAnErrorForItsSenderOnly) {
  server.maxPackageSize = 3000;
  start();
  Client a = v1(0), b = v1(1), plain = connect(0);
  join(b, "g");
  const std::string text(4000, '.');
  a.send(R"({"id":1,"cmd":"send","group":"g","message":")" + text + "\"}");
  EXPECT_THAT(brief(await(a, 1)), ElementsAre("message_too_long"));
  plain.send(R"({"cmd":"send_to_group","group_id":"g","message":")" + text + "\"}");
  EXPECT_THAT(await(plain, 1), ElementsAre(HasSubstr(R"("code":"message_too_long")")));
  a.send(R"({"id":2,"cmd":"send","group":"g","message":"short"})");
  EXPECT_THAT(brief(await(a, 1)), ElementsAre("ok 2"));
  EXPECT_THAT(brief(await(b, 1)), ElementsAre("short"));
}

TEST_F(V1ClientsTest, AnUnacknowledgedMessageThatANewChannelRejectsGetsItsError) {
  for (auto& worker : workers) worker.emplace(loop, settings, channelUrl());
  Client a = v1();
  a.send(R"({"id":1,"cmd":"send","group":"g","message":"1"})");
  a.send(R"({"id":2,"cmd":"send","group":"g","message":")" + std::string(4000, '.') + "\"}");
  a.send(R"({"id":3,"cmd":"send","group":"g","message":"3"})");
  settle();
  server.maxPackageSize = 3000;
  startChannel();
  EXPECT_THAT(brief(await(a, 3)),
              testing::UnorderedElementsAre("message_too_long", "ok 1", "ok 3"));
}

TEST_F(V1ClientsTest, AClientWithoutRoomForItsRepliesIsDisconnected) {
  settings.sendBufferBytesMax = 500;
  start();
  Client a = v1();
  std::string wire;
  for (int id = 1; id <= 100; ++id) {
    wire += test::WebSocketClient::text(R"({"id":)" + std::to_string(id) + R"(,"cmd":"ping"})");
  }
  a.socket.raw().send(wire);  // its replies are more than may wait for it
  EXPECT_TRUE(turnUntil([&] {
    a.all();
    return a.socket.ended();
  }));
}

TEST_F(V1ClientsTest, InWorkermansDialectNothingIsRecovered) {
  channelScheme = "frame";
  start();
  Client a = v1(0), b = v1(1);
  EXPECT_EQ(ask(a, R"({"id":1,"cmd":"join","group":"kept"})"),
            R"({"id":1,"ok":true,"epoch":"0000000000000000","offset":0})");
  settle();
  send(b, "kept", "1");
  EXPECT_THAT(await(a, 1),
              ElementsAre(R"({"event":"message","group":"kept","offset":0,"message":"1"})"));
  EXPECT_EQ(ask(b, R"({"id":2,"cmd":"join","group":"kept","epoch":"0000000000000000","offset":0})"),
            R"({"id":2,"ok":true,"epoch":"0000000000000000","offset":0,"recovered":false})");
}

}  // namespace
}  // namespace stormo::server
