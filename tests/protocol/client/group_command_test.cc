#include "protocol/client/group_command.h"

#include <gtest/gtest.h>
#include <stormo/json.h>

#include <vector>

#include "support/allocation_count.h"

namespace stormo {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kSend =
    R"({"cmd":"send_to_group", "group_id":"123", "message":"Questo è un messaggio"})";

class GroupCommandTest : public testing::Test {
 protected:
  CommandError decode(std::string_view text) {
    // Its own allocation, so that a sanitizer sees a read beyond its end.
    copy_ = std::vector<char>(text.begin(), text.end());
    return decoder_.decode({copy_.data(), copy_.size()}, request_);
  }

  /// The decoded message of a send_to_group with this JSON as its message.
  std::string messageOf(const std::string& json) {
    text_ = R"({"cmd":"send_to_group","group_id":"g","message":)" + json + "}";
    EXPECT_EQ(decoder_.decode(text_, request_), CommandError::None) << json << decoder_.detail();
    return std::string(request_.message);
  }

  std::vector<char> copy_;
  std::string text_;
  GroupCommandDecoder decoder_;
  GroupRequest request_;
};

TEST_F(GroupCommandTest, ReadsTheThreeCommands) {
  ASSERT_EQ(decode(R"({"cmd":"add_group", "group_id":"123"})"), CommandError::None);
  EXPECT_EQ(request_.command, GroupCommand::AddGroup);
  EXPECT_EQ(request_.group, "123");
  EXPECT_EQ(decoder_.detail(), "");

  ASSERT_EQ(decode(R"({"cmd":"leave_group", "group_id":"123"})"), CommandError::None);
  EXPECT_EQ(request_.command, GroupCommand::LeaveGroup);

  ASSERT_EQ(decode(kSend), CommandError::None);
  EXPECT_EQ(request_.command, GroupCommand::SendToGroup);
  EXPECT_EQ(request_.group, "123");
  EXPECT_EQ(request_.message, "Questo è un messaggio");
}

TEST_F(GroupCommandTest, APingIsAnsweredInItsForm) {
  const std::pair<const char*, const char*> forms[] = {
      {R"({"cmd":"ping"})", R"({"cmd":"pong"})"},
      {R"({"cmd":"ping","group_id":7,"type":"x"})", R"({"cmd":"pong"})"},
      {R"({"type":"ping"})", R"({"type":"pong"})"},
      {R"({ "type" : "ping" , "at" : 1 })", R"({"type":"pong"})"},
      {"ping", "pong"},
  };
  for (const auto& [ping, pong] : forms) {
    ASSERT_EQ(decode(ping), CommandError::None) << ping;
    EXPECT_EQ(request_.command, GroupCommand::Ping) << ping;
    EXPECT_EQ(request_.pong, pong);
    EXPECT_EQ(decoder_.detail(), "");
  }
}

TEST_F(GroupCommandTest, SimilarTextsAreNoPing) {
  EXPECT_EQ(decode(R"({"type":"ping")"), CommandError::NotJson);
  EXPECT_EQ(decode("pings"), CommandError::NotJson);
  EXPECT_EQ(decode(R"("ping")"), CommandError::NotAnObject);
  EXPECT_EQ(decode(R"({"type":"pong"})"), CommandError::MissingField);
  EXPECT_EQ(decode(R"({"type":["ping"]})"), CommandError::MissingField);
  EXPECT_EQ(decode(R"({"cmd":7,"type":"ping"})"), CommandError::WrongType);
  ASSERT_EQ(decode(R"({"cmd":"add_group","group_id":"g","type":"ping"})"), CommandError::None);
  EXPECT_EQ(request_.command, GroupCommand::AddGroup);
}

TEST_F(GroupCommandTest, CutAtAnyByteIsNotJson) {
  for (std::size_t n = 0; n < kSend.size(); ++n) {
    EXPECT_EQ(decode(kSend.substr(0, n)), CommandError::NotJson) << n;
  }
}

TEST_F(GroupCommandTest, TheWholeTextMustBeValidJson) {
  const std::string good = R"({"cmd":"add_group","group_id":"1")";
  for (const std::string& text : {good + "}x",
                                  good + "} {}",
                                  good + "}}",
                                  good + ",}",
                                  good + R"(,"x":[1 2]})",
                                  good + R"(,"x":{"y":nul}})",
                                  good + R"(,"x":01})",
                                  good + R"(,"x":"\q"})",
                                  good + R"(,"x":"\u12g4"})",
                                  good + R"(,"x":"\u12")",
                                  good + R"(,"x":1.})",
                                  good + R"(,"x":1e+})",
                                  good + R"(,"x":-})",
                                  good + R"(,"x":truth})",
                                  good + R"(,"x"})",
                                  good + R"(,"x":})",
                                  good + R"(,"x":[1,]})",
                                  good + ",\"x\":\"\xff\"}",
                                  good + ",\"x\":\"\x01\"}",
                                  good + R"(,"x":123456789012345678901234 5})",
                                  good + "}\0"s,
                                  ""s,
                                  "   "s,
                                  "add_group"s}) {
    EXPECT_EQ(decode(text), CommandError::NotJson) << text;
  }
}

TEST_F(GroupCommandTest, OnlyAnObjectIsACommand) {
  for (const char* text : {"[]", "1", "\"add_group\"", "null", "true"}) {
    EXPECT_EQ(decode(text), CommandError::NotAnObject) << text;
  }
}

TEST_F(GroupCommandTest, FieldsComeInAnyOrderAndUnknownOnesAreIgnored) {
  ASSERT_EQ(
      decode(R"({"message":"m","x":{"cmd":"add_group"},"group_id":"g","cmd":"send_to_group"})"),
      CommandError::None);
  EXPECT_EQ(request_.command, GroupCommand::SendToGroup);
  EXPECT_EQ(request_.group, "g");
  EXPECT_EQ(request_.message, "m");
}

TEST_F(GroupCommandTest, TheLastOfEqualFieldsCounts) {
  ASSERT_EQ(
      decode(
          R"({"cmd":1,"cmd":"send_to_group","group_id":"a","group_id":"b","message":1,"message":[2]})"),
      CommandError::None);
  EXPECT_EQ(request_.group, "b");
  EXPECT_EQ(request_.message, "[2]");
}

TEST_F(GroupCommandTest, EscapesAreDecodedInNamesAndMessages) {
  ASSERT_EQ(
      decode(R"({"c\u006dd":"send_to_group","group_id":"a\"\u0000","message":"\ud83d\udc26\n"})"),
      CommandError::None);
  EXPECT_EQ(request_.group, "a\"\0"s);
  EXPECT_EQ(request_.message, "🐦\n");
}

TEST_F(GroupCommandTest, ALoneSurrogateBecomesAReplacementCharacter) {
  const std::string half = "\xef\xbf\xbd";
  EXPECT_EQ(messageOf(R"("x\ud83d")"), "x" + half);
  EXPECT_EQ(messageOf(R"("\uDC00x")"), half + "x");
  EXPECT_EQ(messageOf(R"("\ud83d\ud83d\udc26")"), half + "🐦");
  EXPECT_EQ(messageOf(R"("\ud83d\u0041\ud83d\n")"), half + "A" + half + "\n");
  EXPECT_EQ(messageOf(R"({"a": "\ud83d"})"), R"({"a":"\ud83d"})") << "as it is written";
  ASSERT_EQ(decode(R"({"cmd":"add_group","group_id":"\udfff"})"), CommandError::None);
  EXPECT_EQ(request_.group, half);
}

TEST_F(GroupCommandTest, OnlyTheGrammarOfAnIgnoredFieldIsChecked) {
  for (const std::string value : {R"("\ud83d")", R"({"\ud83d":["\udc00"]})", "1e999", "-1e-999",
                                  "123456789012345678901234567890",
                                  "0.1234567890123456789012345678901234567890e-7", "[[],{}]"}) {
    EXPECT_EQ(decode(R"({"cmd":"add_group","group_id":"g","x":)" + value + "}"), CommandError::None)
        << value;
    EXPECT_EQ(request_.group, "g");
  }
  EXPECT_EQ(messageOf("1e999"), "1e999");
}

TEST_F(GroupCommandTest, AnIntegerGroupIsItsDecimalText) {
  const std::pair<const char*, const char*> groups[] = {
      {"123", "123"},
      {"-5", "-5"},
      {"0", "0"},
      {"-0", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
  };
  for (const auto& [json, name] : groups) {
    ASSERT_EQ(decode(R"({"cmd":"add_group","group_id":)"s + json + "}"), CommandError::None)
        << json;
    EXPECT_EQ(request_.group, name);
  }
}

TEST_F(GroupCommandTest, AGroupOfAnotherTypeIsRejected) {
  for (const char* json : {"null", "true", "1.0", "1e3", "[]", "{}", "123456789012345678901234"}) {
    EXPECT_EQ(decode(R"({"cmd":"add_group","group_id":)"s + json + "}"), CommandError::WrongType)
        << json;
    EXPECT_EQ(decoder_.detail(), "group_id must be a string or an integer of 64 bits");
  }
}

TEST_F(GroupCommandTest, AGroupNameIs1To255Bytes) {
  const auto add = [&](const std::string& name) {
    return decode(R"({"cmd":"add_group","group_id":")" + name + "\"}");
  };
  EXPECT_EQ(add(""), CommandError::NameEmpty);
  EXPECT_EQ(add("n"), CommandError::None);
  EXPECT_EQ(add(std::string(255, 'n')), CommandError::None);
  EXPECT_EQ(request_.group.size(), 255u);
  EXPECT_EQ(add(std::string(256, 'n')), CommandError::NameTooLong);
  EXPECT_EQ(add(std::string(200'000, 'n')), CommandError::NameTooLong);
}

TEST_F(GroupCommandTest, AMessageThatIsNoStringIsItsJsonTextWithoutWhiteSpace) {
  EXPECT_EQ(messageOf("null"), "null");
  EXPECT_EQ(messageOf("true"), "true");
  EXPECT_EQ(messageOf(" 1.50 "), "1.50");
  EXPECT_EQ(messageOf("1e3"), "1e3");
  EXPECT_EQ(messageOf("123456789012345678901234"), "123456789012345678901234");
  EXPECT_EQ(messageOf("[ ]"), "[]");
  EXPECT_EQ(messageOf("{ \"a b\" :\n[ 1 ,\t\"x \\\" ] }\", {\"y\": {}} ] }"),
            R"({"a b":[1,"x \" ] }",{"y":{}}]})");
  EXPECT_EQ(messageOf("\"\""), "");
}

TEST_F(GroupCommandTest, AMessageIsFoundAfterUnusualFields) {
  ASSERT_EQ(
      decode(
          R"( {"a":"}\\\",","b":{"message":1,"c":[{},","]},"cmd":"send_to_group","message":{"m":2},"group_id":7 } )"),
      CommandError::None);
  EXPECT_EQ(request_.message, R"({"m":2})");
  EXPECT_EQ(request_.group, "7");
}

TEST_F(GroupCommandTest, AMissingFieldIsReported) {
  const std::pair<const char*, const char*> texts[] = {
      {"{}", "cmd is missing"},
      {R"({"group_id":"g","message":"m"})", "cmd is missing"},
      {R"({"cmd":"add_group"})", "group_id is missing"},
      {R"({"cmd":"send_to_group","message":"m"})", "group_id is missing"},
      {R"({"cmd":"send_to_group","group_id":"g"})", "message is missing"},
  };
  for (const auto& [text, detail] : texts) {
    EXPECT_EQ(decode(text), CommandError::MissingField) << text;
    EXPECT_EQ(decoder_.detail(), detail);
  }
}

TEST_F(GroupCommandTest, AnUnknownCommandIsQuotedAndCutBetweenCharacters) {
  EXPECT_EQ(decode(R"({"cmd":"Add_group","group_id":"g"})"), CommandError::UnknownCommand);
  EXPECT_EQ(decoder_.detail(), "unknown cmd 'Add_group'");
  EXPECT_EQ(decode(R"({"cmd":7,"group_id":"g"})"), CommandError::WrongType);
  EXPECT_EQ(decoder_.detail(), "cmd must be a string");

  const std::string start(63, 'c');
  EXPECT_EQ(decode(R"({"cmd":")" + start + "è" + std::string(1000, 'c') + "\"}"),
            CommandError::UnknownCommand);
  EXPECT_EQ(decoder_.detail(), "unknown cmd '" + start + "...'");
}

TEST_F(GroupCommandTest, DeepNestingIsLimited) {
  const auto nested = [](std::size_t depth) {
    return R"({"cmd":"add_group","group_id":"g","x":)" + std::string(depth - 1, '[') +
           std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(decode(nested(512)), CommandError::None);
  for (const std::size_t depth : {513u, 2'000u, 1'000'000u}) {
    EXPECT_EQ(decode(nested(depth)), CommandError::NotJson);
  }
  EXPECT_EQ(decode(kSend), CommandError::None);
}

TEST_F(GroupCommandTest, DecodingAllocatesNothingAfterWarmUp) {
  const std::string big =
      R"({"cmd":"send_to_group","group_id":"g","message":")" + std::string(100'000, 'x') + "\"}";
  const std::string_view number = R"({"cmd":"send_to_group","group_id":12,"message":[1, 2]})";
  ASSERT_EQ(decoder_.decode(big, request_), CommandError::None);
  ASSERT_EQ(decoder_.decode(number, request_), CommandError::None);

  const std::uint64_t before = test::allocationCount();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(decoder_.decode(kSend, request_), CommandError::None);
    EXPECT_EQ(decoder_.decode(number, request_), CommandError::None);
    EXPECT_EQ(decoder_.decode(big, request_), CommandError::None);
  }
  EXPECT_EQ(test::allocationCount(), before);
  EXPECT_EQ(request_.message.size(), 100'000u);
}

TEST_F(GroupCommandTest, MessagesOfRisingLengthDoNotAllocateOneByOne) {
  std::string text = R"({"cmd":"add_group","group_id":"g"})" + std::string(5000, ' ');
  const std::uint64_t before = test::allocationCount();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(decoder_.decode(std::string_view(text).substr(0, 3000 + static_cast<std::size_t>(i)),
                              request_),
              CommandError::None);
  }
  EXPECT_LT(test::allocationCount() - before, 20u);
}

TEST_F(GroupCommandTest, IgnoredFieldsAreNeitherCopiedNorBuilt) {
  const auto filled = [](const std::string& begin, const std::string& piece,
                         const std::string& end) {
    std::string text = R"({"cmd":"add_group","group_id":"g","x":)" + begin;
    while (text.size() < 1 << 20) text += piece;
    return text + end + "}";
  };
  const std::pair<const char*, std::string> hostile[] = {
      {"big integers", filled("[", "123456789012345678901234,", "0]")},
      {"numbers beyond a double", filled("[", "1e999,", "0]")},
      {"one long number", filled("", "1", "")},
      {"equal keys", filled("{", R"("":1,)", R"("":1})")},
      {"equal fields", filled("0", R"(,"cmd":"add_group")", "")},
      {"lone surrogates", filled("\"", R"(\ud83d)", "\"")},
      {"backslashes", filled("\"", R"(\\)", "\"")},
      {"nesting", filled("[", std::string(500, '[') + std::string(500, ']') + ",", "0]")},
  };
  for (const auto& [name, text] : hostile) {
    const std::uint64_t before = test::allocationCount();
    EXPECT_EQ(decoder_.decode(text, request_), CommandError::None) << name;
    EXPECT_EQ(test::allocationCount(), before) << name;
  }
}

TEST_F(GroupCommandTest, ADecoderMayBeMoved) {
  GroupCommandDecoder moved = std::move(decoder_);
  EXPECT_EQ(moved.decode(kSend, request_), CommandError::None);
  decoder_ = std::move(moved);
  EXPECT_EQ(decode(kSend), CommandError::None);
}

TEST(CommandErrors, HaveStableCodeNames) {
  EXPECT_STREQ(codeName(CommandError::NotJson), "not_json");
  EXPECT_STREQ(codeName(CommandError::NotAnObject), "not_an_object");
  EXPECT_STREQ(codeName(CommandError::MissingField), "missing_field");
  EXPECT_STREQ(codeName(CommandError::WrongType), "wrong_type");
  EXPECT_STREQ(codeName(CommandError::UnknownCommand), "unknown_cmd");
  EXPECT_STREQ(codeName(CommandError::NameEmpty), "name_empty");
  EXPECT_STREQ(codeName(CommandError::NameTooLong), "name_too_long");
}

TEST(CommandErrors, AReplyIsValidJson) {
  EXPECT_EQ(errorReply("unknown_cmd", "unknown cmd 'x'"),
            R"({"cmd":"error","code":"unknown_cmd","message":"unknown cmd 'x'"})");
  const std::string special = "\"},\n\0 è"s;
  const std::optional<Value> reply = parseJson(errorReply("x", special));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ((*reply)["message"].asString(), special);
}

}  // namespace
}  // namespace stormo
