#include "protocol/client/v1_request.h"

#include <gtest/gtest.h>

#include <vector>

namespace stormo::v1 {
namespace {

class V1RequestTest : public testing::Test {
 protected:
  CommandError decode(std::string_view text) {
    // Its own allocation, so that a sanitizer sees a read beyond its end.
    copy_ = std::vector<char>(text.begin(), text.end());
    const CommandError error = decoder_.decode({copy_.data(), copy_.size()}, request_);
    EXPECT_EQ(error == CommandError::None, decoder_.detail().empty()) << text;
    return error;
  }
  std::string complaintOf(std::string_view text) {
    EXPECT_NE(decode(text), CommandError::None) << text;
    return std::string(decoder_.detail());
  }

  std::vector<char> copy_;
  RequestDecoder decoder_;
  Request request_;
};

TEST_F(V1RequestTest, ReadsTheRequestsOfTheDocument) {
  ASSERT_EQ(decode(R"({"id":1,"cmd":"join","group":"123"})"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Join);
  EXPECT_EQ(request_.id, 1u);
  EXPECT_EQ(request_.group, "123");
  EXPECT_FALSE(request_.seen.has_value());

  ASSERT_EQ(decode(R"({"id":2,"cmd":"join","group":"123","epoch":"5f3a90c1e07b2d46","offset":41})"),
            CommandError::None);
  ASSERT_TRUE(request_.seen.has_value());
  EXPECT_EQ(request_.seen->epoch, 0x5f3a90c1e07b2d46u);
  EXPECT_EQ(request_.seen->offset, 41u);

  ASSERT_EQ(decode(R"({"id":3,"cmd":"send","group":"123","message":"text"})"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Send);
  EXPECT_EQ(request_.message, "text");
  EXPECT_FALSE(request_.seen.has_value()) << "that was another request";

  ASSERT_EQ(decode(R"({"id":4,"cmd":"leave","group":123})"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Leave);
  EXPECT_EQ(request_.group, "123");

  ASSERT_EQ(decode(R"({"id":5,"cmd":"session","session":"9d1f5e0b77aa4c23"})"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Session);
  EXPECT_EQ(request_.session, 0x9d1f5e0b77aa4c23u);

  ASSERT_EQ(decode(R"({"id":9007199254740991,"cmd":"ping"})"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Ping);
  EXPECT_EQ(request_.id, kIdMax);
}

TEST_F(V1RequestTest, AHeartbeatOfAPageNeedsNoId) {
  ASSERT_EQ(decode("ping"), CommandError::None);
  EXPECT_EQ(request_.command, Command::Ping);
  EXPECT_EQ(request_.pong, "pong");
  ASSERT_EQ(decode(R"({"type":"ping"})"), CommandError::None);
  EXPECT_EQ(request_.pong, R"({"type":"pong"})");
  ASSERT_EQ(decode(R"({"id":1,"cmd":"ping"})"), CommandError::None);
  EXPECT_EQ(request_.pong, "");
  EXPECT_EQ(decode(R"({"cmd":"ping"})"), CommandError::MissingField);
}

TEST_F(V1RequestTest, ALoneSurrogateBecomesAReplacementCharacter) {
  ASSERT_EQ(decode(R"({"id":3,"cmd":"send","group":"g\udc00","message":"x\ud83d","y":"\ud83d"})"),
            CommandError::None);
  EXPECT_EQ(request_.group, "g\xef\xbf\xbd");
  EXPECT_EQ(request_.message, "x\xef\xbf\xbd");
}

TEST_F(V1RequestTest, AnIgnoredNumberMayBeBeyondADouble) {
  EXPECT_EQ(decode(R"({"id":3,"cmd":"ping","at":1e999,"n":[18446744073709551616,-1e-999]})"),
            CommandError::None);
}

TEST_F(V1RequestTest, AMessageThatIsNoStringIsItsJsonText) {
  ASSERT_EQ(decode(R"({"id":3,"cmd":"send","group":"g","message":{"a": [1.50, null]}})"),
            CommandError::None);
  EXPECT_EQ(request_.message, R"({"a":[1.50,null]})");
}

TEST_F(V1RequestTest, OtherThanAnObjectIsRejectedWithoutAnId) {
  EXPECT_EQ(decode("{"), CommandError::NotJson);
  EXPECT_EQ(decode(""), CommandError::NotJson);
  EXPECT_EQ(decode("[1]"), CommandError::NotAnObject);
  EXPECT_EQ(request_.id, 0u);
}

TEST_F(V1RequestTest, AnIdIsASafeInteger) {
  EXPECT_EQ(decode(R"({"cmd":"ping"})"), CommandError::MissingField);
  for (const char* id : {"0", "-1", "1.5", "\"1\"", "null", "9007199254740992"}) {
    EXPECT_EQ(decode(R"({"cmd":"ping","id":)" + std::string(id) + "}"), CommandError::WrongType)
        << id;
    EXPECT_EQ(request_.id, 0u) << id;
  }
}

TEST_F(V1RequestTest, TheIdOfAnInvalidRequestIsReported) {
  EXPECT_EQ(decode(R"({"id":7})"), CommandError::MissingField);
  EXPECT_EQ(request_.id, 7u);
  EXPECT_EQ(decode(R"({"id":8,"cmd":1})"), CommandError::WrongType);
  EXPECT_EQ(request_.id, 8u);
  EXPECT_EQ(decode(R"({"id":9,"cmd":"add_group"})"), CommandError::UnknownCommand);
  EXPECT_EQ(request_.id, 9u);
}

TEST_F(V1RequestTest, AMissingGroupIsRejected) {
  for (const char* cmd : {"join", "leave", "send"}) {
    const std::string start = R"({"id":1,"cmd":")" + std::string(cmd) + "\"";
    EXPECT_EQ(decode(start + "}"), CommandError::MissingField);
    EXPECT_EQ(decode(start + R"(,"group":""})"), CommandError::NameEmpty);
    EXPECT_EQ(decode(start + R"(,"group":true})"), CommandError::WrongType);
    EXPECT_EQ(decode(start + ",\"group\":\"" + std::string(256, 'x') + "\"}"),
              CommandError::NameTooLong);
  }
  EXPECT_EQ(complaintOf(R"({"id":1,"cmd":"join"})"), "group is missing");
  EXPECT_EQ(complaintOf(R"({"id":1,"cmd":"send","group":"g"})"), "message is missing");
}

TEST_F(V1RequestTest, EpochAndOffsetAreGivenTogether) {
  const auto join = [&](std::string_view rest) {
    return decode(R"({"id":1,"cmd":"join","group":"g",)" + std::string(rest) + "}");
  };
  EXPECT_EQ(join(R"("epoch":"5f3a90c1e07b2d46")"), CommandError::MissingField);
  EXPECT_EQ(join(R"("offset":1)"), CommandError::MissingField);
  for (const char* epoch : {"\"\"", "1", "\"5f3a90c1e07b2d4\"", "\"5f3a90c1e07b2d460\"",
                            "\"5f3a90c1e07b2d4g\"", "null"}) {
    EXPECT_EQ(join(R"("offset":1,"epoch":)" + std::string(epoch)), CommandError::WrongType)
        << epoch;
  }
  for (const char* offset : {"-1", "\"1\"", "1.5", "null"}) {
    EXPECT_EQ(join(R"("epoch":"5f3a90c1e07b2d46","offset":)" + std::string(offset)),
              CommandError::WrongType)
        << offset;
  }
}

TEST_F(V1RequestTest, ASessionIsDrawnAtRandomAndNotZero) {
  EXPECT_EQ(decode(R"({"id":1,"cmd":"session"})"), CommandError::MissingField);
  for (const char* session : {"\"0000000000000000\"", "\"1\"", "12", "\" d1f5e0b77aa4c23\""}) {
    EXPECT_EQ(decode(R"({"id":1,"cmd":"session","session":)" + std::string(session) + "}"),
              CommandError::WrongType)
        << session;
  }
}

}  // namespace
}  // namespace stormo::v1
