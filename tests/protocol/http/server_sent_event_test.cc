#include "protocol/http/server_sent_event.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace stormo {
namespace {

using namespace std::chrono_literals;

std::string eventOf(std::string_view data, std::string_view event = {}, std::string_view id = {},
                    std::optional<std::chrono::milliseconds> retry = std::nullopt) {
  std::string out;
  appendServerSentEvent(data, event, id, retry, out);
  return out;
}

TEST(ServerSentEvent, EachLineOfTheDataIsAField) {
  EXPECT_EQ(eventOf("hello"), "data: hello\n\n");
  EXPECT_EQ(eventOf(""), "data: \n\n");
  EXPECT_EQ(eventOf("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(eventOf("a\n"), "data: a\ndata: \n\n");
  EXPECT_EQ(eventOf("a\n\nid: forged"), "data: a\ndata: \ndata: id: forged\n\n");
}

TEST(ServerSentEvent, HasTypeIdAndRetry) {
  EXPECT_EQ(eventOf("x", "price", "7", 1500ms), "event: price\nid: 7\nretry: 1500\ndata: x\n\n");
}

TEST(ServerSentEvent, ATypeOrIdOfTwoLinesIsRefused) {
  for (const std::string_view bad :
       {std::string_view("a\nb"), std::string_view("a\r"), std::string_view("a\0", 2)}) {
    EXPECT_THROW(eventOf("x", bad), std::invalid_argument);
    EXPECT_THROW(eventOf("x", "", bad), std::invalid_argument);
  }
  EXPECT_THROW(eventOf("x", "", "", -1ms), std::invalid_argument);
}

TEST(ServerSentEvent, ACommentCannotBecomeAnEvent) {
  const auto comment = [](std::string_view text) {
    std::string out;
    appendEventComment(text, out);
    return out;
  };
  EXPECT_EQ(comment(""), ":\n\n");
  EXPECT_EQ(comment("a\ndata: b"), ": a\n: data: b\n\n");
}

}  // namespace
}  // namespace stormo
