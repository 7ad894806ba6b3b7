#include "protocol/websocket/extensions.h"

#include <gtest/gtest.h>

namespace stormo::websocket {
namespace {

using Extensions = std::optional<std::vector<Extension>>;

Extensions parse(std::string value) {
  return parseExtensions({{"Sec-WebSocket-Extensions", std::move(value)}});
}

TEST(Extensions, ReadsTheExamplesOfRfc6455) {
  EXPECT_EQ(parse("foo"), Extensions({{"foo"}}));
  EXPECT_EQ(parse("bar; baz=2"), Extensions({{"bar", {{"baz", "2"}}}}));
  EXPECT_EQ(parse("foo, bar; baz=2"), Extensions({{"foo"}, {"bar", {{"baz", "2"}}}}));
  EXPECT_EQ(parse("deflate-stream"), Extensions({{"deflate-stream"}}));
  EXPECT_EQ(parse("mux; max-channels=4; flow-control, deflate-stream"),
            Extensions({{"mux", {{"max-channels", "4"}, {"flow-control"}}}, {"deflate-stream"}}));
  EXPECT_EQ(parse("private-extension"), Extensions({{"private-extension"}}));
}

TEST(Extensions, JoinsSeveralFieldsInOrder) {
  EXPECT_EQ(parseExtensions({{"Sec-WebSocket-Extensions", "a"},
                             {"Host", "b"},
                             {"sec-websocket-extensions", "c; d, e"}}),
            Extensions({{"a"}, {"c", {{"d"}}}, {"e"}}));
  EXPECT_EQ(parseExtensions({{"Host", "b"}}), Extensions(std::vector<Extension>()));
}

TEST(Extensions, UnquotesAValueThatIsAToken) {
  EXPECT_EQ(parse("a; b=\"10\""), Extensions({{"a", {{"b", "10"}}}}));
  EXPECT_EQ(parse("a; b=\"1\\0\""), Extensions({{"a", {{"b", "10"}}}}));
}

TEST(Extensions, IgnoresSpaceAndEmptyElements) {
  EXPECT_EQ(parse(" , a\t;b = c ,, d , "), Extensions({{"a", {{"b", "c"}}}, {"d"}}));
}

TEST(Extensions, RejectsWhatDoesNotConform) {
  for (const char* wrong : {"",           " ",        ",",         ";",           "a;",
                            "a;;b",       "a b",      "a; b=",     "a; =b",       "a; b c",
                            "a=b",        "a; b=\"",  "a; b=\"\"", "a; b=\"c",    "a; b=\"c d\"",
                            "a; b=\"c\\", "a/b",      "a; b=c=d",  "a; b=\"c\"d", "\"a\"",
                            "a, b;",      "a; b\x01", "\xc3\xa9"}) {
    EXPECT_EQ(parse(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(parseExtensions({{"Sec-WebSocket-Extensions", "a"}, {"Sec-WebSocket-Extensions", ";"}}),
            std::nullopt);
}

}  // namespace
}  // namespace stormo::websocket
