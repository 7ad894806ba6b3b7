#include <gtest/gtest.h>
#include <stormo/message.h>

#include <string>

namespace stormo {
namespace {

TEST(Message, IsComparedWithTextByItsBytes) {
  const Message message = "ping";
  EXPECT_TRUE(message == "ping");
  EXPECT_TRUE("ping" == message);
  EXPECT_TRUE(message == std::string("ping"));
  EXPECT_TRUE(std::string("ping") == message);
  EXPECT_TRUE(message == std::string_view("ping"));
  EXPECT_TRUE(message != "pong");
  EXPECT_TRUE(message != "");
  EXPECT_TRUE(binary("ping") == "ping");
  EXPECT_TRUE(Message(std::string_view("a\0b", 3)) != "a");
}

TEST(Message, IsComparedWithAMessageByBytesAndType) {
  const Message message = "ping";
  EXPECT_TRUE(message == Message("ping"));
  EXPECT_TRUE(message != binary("ping"));
  EXPECT_TRUE(message != Message("pong"));
}

TEST(Message, IsConcatenatedWithStrings) {
  const Message message = "ping";
  EXPECT_EQ("a " + message, "a ping");
  EXPECT_EQ(std::string("a ") + message, "a ping");
  EXPECT_EQ(message + " b", "ping b");
  EXPECT_EQ(message + std::string(" b"), "ping b");
  EXPECT_EQ("a " + message + " b" + message, "a ping bping");
  EXPECT_EQ(message + message, "pingping");
  std::string text = "a ";
  text += message;
  EXPECT_EQ(text, "a ping");
  EXPECT_EQ(std::string(message), "ping");
}

}  // namespace
}  // namespace stormo
