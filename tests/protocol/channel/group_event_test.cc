#include "protocol/channel/group_event.h"

#include <gtest/gtest.h>
#include <stormo/audience.h>
#include <stormo/value.h>

#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

std::string serialized(const Value& value) {
  std::string out;
  php::serialize(value, out);
  return out;
}

/// "123/ciao" or "123/binary ciao" for a group message, else "none".
std::string read(const Value& value) {
  const std::string data = serialized(value);
  GroupEventScratch scratch;
  const auto event = readGroupEvent(data, scratch);
  if (!event) return "none";
  return (event->message.isBinary() ? "binary " : "") + std::string(event->group) + "/" +
         std::string(event->message.data);
}

std::string readMessage(const Value& message) {
  return read(Value::array({{"group_id", "g"}, {"message", message}}));
}

TEST(GroupEvent, KeysMayHaveAnyOrderAmongOthers) {
  EXPECT_EQ(read(Value::array({{"group_id", "123"}, {"message", "ciao"}})), "123/ciao");
  EXPECT_EQ(read(Value::array(
                {{"a", Value::list({1, 2})}, {"message", "ciao"}, {5, "x"}, {"group_id", "123"}})),
            "123/ciao");
}

TEST(GroupEvent, TheGroupMayBeAnInteger) {
  EXPECT_EQ(read(Value::array({{"group_id", 123}, {"message", "ciao"}})), "123/ciao");
  EXPECT_EQ(read(Value::array({{"group_id", -5}, {"message", "ciao"}})), "-5/ciao");
}

TEST(GroupEvent, AMessageThatIsNoStringBecomesJson) {
  EXPECT_EQ(readMessage(42), "g/42");
  EXPECT_EQ(readMessage(nullptr), "g/null");
  EXPECT_EQ(readMessage(true), "g/true");
  EXPECT_EQ(readMessage(Value::array({{"a", Value::list({1, "è"})}})), "g/{\"a\":[1,\"è\"]}");
}

TEST(GroupEvent, AnOpaqueMessageIsNoGroupMessageAndAnOpaquePartIsNull) {
  const auto readText = [](const std::string& message) {
    GroupEventScratch scratch;
    const std::string data = "a:2:{s:8:\"group_id\";s:1:\"g\";s:7:\"message\";" + message + "}";
    const auto event = readGroupEvent(data, scratch);
    return event ? std::string(event->message.data) : "none";
  };
  EXPECT_EQ(readText(R"(O:8:"stdClass":0:{})"), "none");
  EXPECT_EQ(readText("R:2;"), "none");
  EXPECT_EQ(readText("a:1:{i:0;R:2;}"), "none");
  EXPECT_EQ(readText(R"(a:2:{i:0;O:1:"A":0:{}i:1;i:7;})"), "[null,7]");
}

TEST(GroupEvent, ValidUtf8IsTextAndOtherBytesAreBinary) {
  EXPECT_EQ(readMessage("Questo è"), "g/Questo è");
  EXPECT_EQ(readMessage(""), "g/");
  EXPECT_EQ(readMessage("\xff\xfe"), "binary g/\xff\xfe");
}

TEST(GroupEvent, OtherDataIsNoGroupMessage) {
  EXPECT_EQ(read("ciao"), "none");
  EXPECT_EQ(read(nullptr), "none");
  EXPECT_EQ(read(Value::list({"123", "ciao"})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", "123"}})), "none");
  EXPECT_EQ(read(Value::array({{"message", "ciao"}})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", nullptr}, {"message", "ciao"}})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", 1.5}, {"message", "ciao"}})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", Value::list({1})}, {"message", "ciao"}})), "none");
}

TEST(GroupEvent, TheGroupsNameHasOneTo255Bytes) {
  EXPECT_EQ(read(Value::array({{"group_id", ""}, {"message", "ciao"}})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", std::string(255, 'n')}, {"message", "x"}})),
            std::string(255, 'n') + "/x");
  EXPECT_EQ(read(Value::array({{"group_id", std::string(256, 'n')}, {"message", "x"}})), "none");
}

TEST(GroupEvent, IsWrittenAsPhpWritesIt) {
  std::string data;
  appendGroupEvent("123", "Questo è un messaggio", data);
  EXPECT_EQ(data, serialized(Value::array(
                      {{"group_id", std::string("123")}, {"message", "Questo è un messaggio"}})));
}

TEST(GroupEvent, NamesTheOtherAudiencesByKeysOfTheirOwn) {
  const std::string client(32, 'c');
  for (const Audience& audience :
       {Audience::user("ada"), Audience::client(client), Audience::everybody()}) {
    std::string data;
    appendGroupEvent(audience.channelName(), "ciao", data);
    GroupEventScratch scratch;
    const auto event = readGroupEvent(data, scratch);
    ASSERT_TRUE(event) << data;
    EXPECT_EQ(event->group, audience.channelName());
    EXPECT_EQ(event->message.data, "ciao");
  }
  EXPECT_EQ(read(Value::array({{"user_id", 7}, {"message", "x"}})), std::string("\0u7/x", 5));
  EXPECT_EQ(read(Value::array({{"all", true}, {"message", "x"}})), std::string("\0a/x", 4));
  EXPECT_EQ(read(Value::array({{"all", false}, {"message", "x"}})), "none");
  EXPECT_EQ(read(Value::array({{"client_id", "short"}, {"message", "x"}})), "none");
  EXPECT_EQ(read(Value::array({{"user_id", "a"}, {"group_id", "b"}, {"message", "x"}})), "none");
  EXPECT_EQ(read(Value::array({{"group_id", std::string("\0uada", 5)}, {"message", "x"}})), "none");
}

TEST(GroupEvent, CutAtAnyByteIsNoGroupMessage) {
  const std::string data = serialized(Value::array({{"group_id", "123"}, {"message", "ciao"}}));
  for (std::size_t n = 0; n + 1 < data.size(); ++n) {
    GroupEventScratch scratch;
    EXPECT_FALSE(readGroupEvent(std::string_view(data).substr(0, n), scratch)) << n;
  }
}

}  // namespace
}  // namespace stormo::channel
