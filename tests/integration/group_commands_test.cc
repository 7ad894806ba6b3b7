// Edge cases of the command protocol (docs/group-protocol.md): unusual and invalid commands.
#include <gmock/gmock.h>

#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GroupCommands : public WithStormo {
 protected:
  static std::string sendOf(const std::string& message) {
    return R"({"cmd":"send_to_group","group_id":"123","message":)" + message + "}";
  }

  /// The `code` of an error; the text itself if it is no error.
  static std::string codeOf(const std::string& text) {
    const Json answer = Json::parse(text, nullptr, false);
    const bool isError = answer.is_object() && answer.value("cmd", "") == "error" &&
                         answer.size() == 3 && answer.contains("message");
    return isError ? answer.value("code", "") : text;
  }
};

TEST_F(GroupCommands, AGroupsIntegerIsItsDecimalText) {
  startStormo();
  const auto pair = connectToDifferentWorkers(stormo, clients(), 2);
  clients().send(pair[0], R"({"cmd":"add_group","group_id":123})");
  clients().join(pair[1], "123");
  clients().settle(pair);
  clients().send(pair[1], R"({"cmd":"send_to_group","group_id":123,"message":"to 123"})");
  clients().sendToGroup(pair[1], "123", "to '123'");
  for (const Id id : pair) {
    clients().waitForMessages(id, 2);
    EXPECT_THAT(clients()[id].texts(), ElementsAre("to 123", "to '123'"));
  }
}

TEST_F(GroupCommands, AMessageThatIsNoStringArrivesAsItsJsonText) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  for (const char* message : {"5", "-1.50", "true", "null", R"({"a": 1, "b": [ 1 ,2 ]})", "[]"}) {
    clients().send(members[0], sendOf(message));
  }
  clients().waitForMessages(members[1], 6);
  clients().settle(members);
  EXPECT_THAT(clients()[members[1]].texts(),
              ElementsAre("5", "-1.50", "true", "null", R"({"a":1,"b":[1,2]})", "[]"));
}

TEST_F(GroupCommands, FieldsMayComeInAnyOrderAndUnknownOnesAreIgnored) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  clients().send(members[0],
                 " {\n \"message\" : \"any order\", \"id\":{\"deep\":[1]}, \"group_id\":\"123\","
                 "\"cmd\":\"send_to_group\" } ");
  clients().send(
      members[0],
      R"({"cmd":"send_to_group","group_id":"124","message":"first","message":"last","group_id":"123"})");
  clients().waitForMessages(members[1], 2);
  EXPECT_THAT(clients()[members[1]].texts(), ElementsAre("any order", "last"));
}

TEST_F(GroupCommands, BadInputIsAnsweredWithItsErrorCodeOnly) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  const std::string longName(256, 'n');
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "not_json"},
      {"hello", "not_json"},
      {R"({"cmd":"add_group","group_id":"123")", "not_json"},
      {R"({"cmd":"add_group","group_id":"123"} x)", "not_json"},
      {R"({'cmd':'add_group'})", "not_json"},
      {"[]", "not_an_object"},
      {R"("add_group")", "not_an_object"},
      {"42", "not_an_object"},
      {"null", "not_an_object"},
      {"{}", "missing_field"},
      {R"({"cmd":"add_group"})", "missing_field"},
      {R"({"group_id":"123"})", "missing_field"},
      {R"({"cmd":"send_to_group","group_id":"123"})", "missing_field"},
      {R"({"cmd":"send_to_group","message":"x"})", "missing_field"},
      {R"({"cmd":7,"group_id":"123"})", "wrong_type"},
      {R"({"cmd":null,"group_id":"123"})", "wrong_type"},
      {R"({"cmd":"add_group","group_id":["123"]})", "wrong_type"},
      {R"({"cmd":"add_group","group_id":1.5})", "wrong_type"},
      {R"({"cmd":"add_group","group_id":true})", "wrong_type"},
      {R"({"cmd":"add_group","group_id":null})", "wrong_type"},
      {R"({"cmd":"jump","group_id":"123"})", "unknown_cmd"},
      {R"({"cmd":"ADD_GROUP","group_id":"123"})", "unknown_cmd"},
      {R"({"cmd":"add_group","group_id":""})", "name_empty"},
      {R"({"cmd":"add_group","group_id":")" + longName + "\"}", "name_too_long"},
      {R"({"cmd":"leave_group","group_id":")" + longName + "\"}", "name_too_long"},
      {R"({"cmd":"send_to_group","group_id":")" + longName + R"(","message":"x"})",
       "name_too_long"},
  };
  for (const auto& [text, code] : table) {
    clients().send(members[0], text);
    clients().waitForMessages(members[0], 1);
    clients().settle(members);  // also a good command, so that bad ones are not ten in a row
    ASSERT_EQ(clients()[members[0]].received.size(), 1u) << text;
    EXPECT_EQ(codeOf(clients()[members[0]].received[0].data), code) << text;
    EXPECT_THAT(clients()[members[1]].received, IsEmpty()) << text;
    clients().clear(members[0]);
  }
  clients().sendToGroup(members[0], "123", "all is well");
  clients().waitForMessages(members[1], 1);
  EXPECT_TRUE(clients()[members[0]].isOpen());
}

TEST_F(GroupCommands, TenBadCommandsInARowCloseTheConnectionWith1008) {
  startStormo();
  const Id id = clients().connect();
  for (int i = 0; i < 12; ++i) clients().send(id, "bad");
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].received.size(), 10u);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::PolicyViolation);
}

TEST_F(GroupCommands, AGoodCommandResetsTheCountOfBadOnes) {
  startStormo();
  const Id id = clients().connect();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 9; ++i) clients().send(id, "bad");
    clients().command(id, "add_group", "123");
  }
  clients().settle({id});
  EXPECT_EQ(clients()[id].received.size(), 27u);
  EXPECT_TRUE(clients()[id].isOpen());
}

TEST_F(GroupCommands, OneGroupTooManyIsRejectedUntilAnotherIsLeft) {
  startStormo({"--workers", "2", "--groups-per-client", "3"});
  const Id id = clients().connect();
  for (const char* group : {"a", "b", "c", "c", "d"}) clients().command(id, "add_group", group);
  clients().waitForMessages(id, 1);
  EXPECT_EQ(codeOf(clients()[id].received[0].data), "too_many_groups");
  clients().clear(id);

  clients().command(id, "leave_group", "a");
  clients().command(id, "add_group", "d");
  clients().command(id, "leave_group", "b");
  clients().settle({id});
  clients().sendToGroup(id, "d", "in d");
  clients().sendToGroup(id, "a", "in a");
  clients().settle({id});
  EXPECT_THAT(clients()[id].texts(), ElementsAre("in d"));
}

TEST_F(GroupCommands, ABinaryMessageIsACommandLikeATextAndIsDeliveredAsText) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  clients().sendBinary(members[0], sendOf(R"("from binary")"));
  clients().sendBinary(members[0], std::string("\xff\xfe", 2));
  clients().waitForMessages(members[0], 2);
  clients().waitForMessages(members[1], 1);
  EXPECT_THAT(clients()[members[1]].received,
              ElementsAre(SwarmClient::Received{"from binary", false}));
  EXPECT_THAT(clients()[members[0]].texts(),
              ::testing::Contains(::testing::ResultOf(codeOf, "not_json")));
}

TEST_F(GroupCommands, AMessageOverTheLimitClosesTheConnectionWith1009) {
  startStormo({"--workers", "2", "--message-bytes", "1000"});
  const auto members = membersOnDifferentWorkers("123");
  const std::string fits = sendOf('"' + std::string(1000 - sendOf("\"\"").size(), 'x') + '"');
  ASSERT_EQ(fits.size(), 1000u);
  clients().send(members[0], fits);
  clients().waitForMessages(members[1], 1);
  clients().send(members[0], fits + ' ');
  clients().waitUntilClosed(members[0]);
  EXPECT_EQ(clients()[members[0]].closeCode, CloseCode::TooBig);
  EXPECT_TRUE(clients()[members[1]].isOpen());
}

TEST_F(GroupCommands, AProtocolErrorClosesOnlyThatConnectionWithItsCode) {
  startStormo();
  const auto members = membersOnDifferentWorkers("123");
  const std::vector<std::pair<std::string, CloseCode>> table = {
      {std::string("\x81\x02hi", 4), CloseCode::ProtocolError},             // not masked
      {std::string("\xc1\x82\0\0\0\0hi", 8), CloseCode::ProtocolError},     // a reserved bit
      {std::string("\x83\x80\0\0\0\0", 6), CloseCode::ProtocolError},       // a reserved opcode
      {std::string("\x80\x80\0\0\0\0", 6), CloseCode::ProtocolError},       // continues nothing
      {std::string("\x81\x81\0\0\0\0\xff", 7), CloseCode::InvalidPayload},  // not UTF-8
  };
  for (const auto& [bytes, code] : table) {
    const Id id = clients().connect();
    clients().sendRaw(id, bytes);
    clients().waitUntilClosed(id);
    EXPECT_EQ(clients()[id].closeCode, code);
  }
  clients().sendToGroup(members[0], "123", "untouched");
  clients().waitForMessages(members[1], 1);
}

TEST_F(GroupCommands, ASilentClientIsPingedAndStaysWhileItAnswers) {
  startStormo({"--workers", "1", "--ping-interval", "1", "--pong-timeout", "1"});
  const Id id = clients().connect();
  clients().runUntil("two pings", [&] { return clients()[id].pingsSeen >= 2; });
  EXPECT_TRUE(clients()[id].isOpen());
  clients().answerPings = false;
  clients().waitUntilClosed(id);
  EXPECT_EQ(clients()[id].closeCode, CloseCode::Abnormal);
}

}  // namespace
}  // namespace stormo::integration
