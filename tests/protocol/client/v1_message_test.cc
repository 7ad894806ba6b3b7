#include "protocol/client/v1_message.h"

#include <gtest/gtest.h>
#include <stormo/json.h>

#include <fstream>
#include <sstream>

namespace stormo::v1 {
namespace {

constexpr std::uint64_t kEpoch = 0x5f3a90c1e07b2d46;

template <typename Append, typename... Args>
std::string textOf(Append append, const Args&... args) {
  std::string text;
  append(args..., text);
  EXPECT_TRUE(parseJson(text).has_value()) << text;
  return text;
}

std::string ok(std::uint64_t id) { return textOf(appendOk, id); }
std::string joined(std::uint64_t id, std::uint64_t offset, std::optional<bool> recovered) {
  return textOf(appendJoined, id, Position{kEpoch, offset}, recovered);
}
std::string error(std::uint64_t id, std::string_view code, std::string_view message) {
  return textOf(appendError, id, code, message);
}
std::string message(std::string_view group, std::uint64_t offset, Message content) {
  return textOf(appendMessage, group, offset, content);
}

TEST(V1Message, MatchesTheDocument) {
  std::ifstream file(STORMO_SOURCE_DIR "/docs/v1-protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  for (const std::string& example :
       {ok(3), joined(1, 41, std::nullopt), joined(2, 57, true),
        error(3, "missing_field", "message is missing"), message("123", 42, "text"),
        textOf(appendMissed, "ticker.eur", std::uint64_t{17})}) {
    EXPECT_NE(document.find(example), std::string::npos) << example;
  }
}

TEST(V1Message, AnIncompleteRecoveryIsReported) {
  EXPECT_EQ(joined(7, 9, false),
            R"({"id":7,"ok":true,"epoch":"5f3a90c1e07b2d46","offset":9,"recovered":false})");
}

TEST(V1Message, AnErrorWithoutAnIdHasNull) {
  EXPECT_EQ(error(0, "not_json", "\"?\""),
            R"({"id":null,"ok":false,"error":{"code":"not_json","message":"\"?\""}})");
}

TEST(V1Message, AnyTextAndAnyNameAreEscaped) {
  const std::string text = "\"Questo\" è\n\\un\tmessaggio\x01 \xe2\x80\xa8";
  const auto value = parseJson(message("gr\"oup\\", 1, text));
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ((*value)["message"].asString(), text);
  EXPECT_EQ((*value)["group"].asString(), "gr\"oup\\");
}

TEST(V1Message, BytesAreInBase64) {
  const auto base64 = [](std::string_view bytes) {
    const auto value = parseJson(message("g", 1, binary(bytes)));
    return std::string((*value)["binary"].asString());
  };
  // RFC 4648 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace stormo::v1
