#include <gtest/gtest.h>
#include <stormo/json.h>

#include <limits>

namespace stormo {
namespace {

using std::string_literals::operator""s;

/// The JSON text after parsing and writing.
std::string throughValue(std::string_view text) {
  const std::optional<Value> value = parseJson(text);
  return value ? toJson(*value) : "not json";
}

TEST(Json, ReadsEveryType) {
  const std::optional<Value> value = parseJson(
      R"({"n":null,"t":true,"f":false,"i":-42,"d":1.5,"s":"\u00e8\n","l":[1,[]],"o":{}})");
  ASSERT_TRUE(value.has_value());
  EXPECT_TRUE(*value == Value::array({{"n", nullptr},
                                      {"t", true},
                                      {"f", false},
                                      {"i", -42},
                                      {"d", 1.5},
                                      {"s", "è\n"},
                                      {"l", Value::list({1, Value::list()})},
                                      {"o", Value::array()}}));
}

TEST(Json, ObjectsBecomeArraysAsInPhp) {
  const std::optional<Value> value = parseJson(R"({"8":"a","08":"b","k":1,"k":2})");
  ASSERT_TRUE(value.has_value());
  EXPECT_TRUE(*value == Value::array({{8, "a"}, {"08", "b"}, {"k", 2}}));
}

TEST(Json, IntegersBeyondInt64BecomeDoubles) {
  EXPECT_TRUE(*parseJson("9223372036854775807") == Value(9223372036854775807));
  EXPECT_TRUE(*parseJson("-9223372036854775808") ==
              Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_TRUE(*parseJson("9223372036854775808") == Value(9223372036854775808.0));
  EXPECT_TRUE(*parseJson("-9223372036854775809") == Value(-9223372036854775809.0));
  EXPECT_TRUE(*parseJson("123456789012345678901234567890") ==
              Value(123456789012345678901234567890.0));
  EXPECT_EQ(throughValue(
                R"([123456789012345678901,"123456789012345678901\"",{"1":-99999999999999999999}])"),
            R"([1.2345678901234568e+20,"123456789012345678901\"",{"1":-1.0e+20}])");
}

TEST(Json, AnIntegerBeyondInt64DoesNotChangeItsNeighbours) {
  const std::optional<Value> value = parseJson("[9223372036854775807,123456789012345678901,7]");
  ASSERT_TRUE(value.has_value());
  EXPECT_TRUE(*value == Value::list({9223372036854775807, 123456789012345678901.0, 7}));
}

TEST(Json, NumbersBeyondADoubleAreInfiniteOrZeroAsInPhp) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(*parseJson("[1e999,-1.5e999,1e-999]") == Value::list({kInfinity, -kInfinity, 0.0}));
  EXPECT_TRUE(*parseJson("1" + std::string(400, '0')) == Value(kInfinity));
}

TEST(Json, ALoneSurrogateBecomesAReplacementCharacter) {
  EXPECT_TRUE(
      *parseJson(R"({"\udc00":"x\ud83d","k":"\ud83d\ud83d\udc26\ud83dx"})") ==
      Value::array({{"\xef\xbf\xbd", "x\xef\xbf\xbd"}, {"k", "\xef\xbf\xbd🐦\xef\xbf\xbdx"}}));
}

TEST(Json, ReadsEveryEscapeAndEveryLengthOfUtf8) {
  EXPECT_TRUE(*parseJson(R"("\"\\\/\b\f\n\r\t\u0041\u00E8\u20ac\uD83D\uDE00\u0000")") ==
              Value("\"\\/\b\f\n\r\tAè€😀\0"s));
}

TEST(Json, AStringEndsAtItsQuoteAtAnyOffset) {
  for (std::size_t n = 0; n < 40; ++n) {
    const std::string plain(n, 'a');
    EXPECT_TRUE(*parseJson('"' + plain + "\"") == Value(plain)) << n;
    EXPECT_TRUE(*parseJson('"' + plain + "\\n" + plain + "\"") == Value(plain + "\n" + plain)) << n;
    EXPECT_FALSE(parseJson('"' + plain + "\n" + plain + "\"").has_value()) << n;
    EXPECT_FALSE(parseJson('"' + plain + '\x1f' + plain + "\"").has_value()) << n;
    EXPECT_FALSE(parseJson('"' + plain).has_value()) << n;
    EXPECT_FALSE(parseJson('"' + plain + '\\').has_value()) << n;
  }
}

TEST(Json, InvalidJsonIsRejected) {
  for (const std::string text : {"",
                                 " ",
                                 "nul",
                                 "[1 2]",
                                 "[1,]",
                                 "{\"a\":1,}",
                                 "{\"a\"}",
                                 "{a:1}",
                                 "'a'",
                                 "\"a",
                                 "01",
                                 "1.",
                                 ".5",
                                 "+1",
                                 "1e",
                                 "- 1",
                                 "1 1",
                                 "[1]]",
                                 "[",
                                 "NaN",
                                 "\"\xff\"",
                                 "\"\\ud80\"",
                                 "\"\\x\"",
                                 "\"\x01\"",
                                 "012345678901234567890123",
                                 "12345678901234567890123x",
                                 "[12345678901234567890123 1]",
                                 "-"}) {
    EXPECT_FALSE(parseJson(text).has_value()) << text;
  }
  EXPECT_FALSE(parseJson("[1]\0"s).has_value());
}

TEST(Json, CutAtAnyByteIsInvalid) {
  const std::string text = R"( {"a":[1,-2.5e3,"x\u00e8",true,null,123456789012345678901]} )";
  for (std::size_t n = 0; n + 1 < text.size(); ++n) {
    EXPECT_FALSE(parseJson(std::string(text, 0, n)).has_value()) << n;
  }
  EXPECT_TRUE(parseJson(text).has_value());
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parseJson(nested(64)).has_value());
  EXPECT_FALSE(parseJson(nested(65)).has_value());
  EXPECT_TRUE(parseJson(nested(512), {.depthMax = 512}).has_value());
  EXPECT_FALSE(parseJson(nested(513), {.depthMax = 512}).has_value());
  EXPECT_FALSE(parseJson(nested(1'000'000)).has_value());
  EXPECT_FALSE(parseJson(std::string(1'000'000, '[')).has_value());
}

TEST(Json, WritesWhatPhpWrites) {
  const Value value = Value::array({{"list", Value::list({1, true, nullptr})},
                                    {"object", Value::array({{1, "a"}, {"b", 2}})},
                                    {"empty", Value::array()},
                                    {5, "/\"\\\b\f\n\r\t\x1f\x7fè\u2028"}});
  EXPECT_EQ(toJson(value), R"({"list":[1,true,null],"object":{"1":"a","b":2},"empty":[],)"
                           R"("5":"/\"\\\b\f\n\r\t\u001f)"
                           "\x7f"
                           R"(è\u2028"})");
}

TEST(Json, WritesNumbersAsPhpDoes) {
  EXPECT_EQ(toJson(Value::list({0.1, 1.0, -0.0, 1e25, 1e-7, 123456789012345680.0})),
            "[0.1,1,-0,1.0e+25,1.0e-7,1.2345678901234568e+17]");
  EXPECT_EQ(toJson(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(toJson(Value::list({std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()})),
            "[null,null]");
}

TEST(Json, BytesThatAreNotUtf8AreReplacedOneSequenceAtATime) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(toJson("a\xff"
                   "b"),
            "\"a" + r + "b\"");
  EXPECT_EQ(toJson("\xe2\x82"
                   "A"),
            "\"" + r + "A\"");
  EXPECT_EQ(toJson("\xed\xa0\x80"), "\"" + r + "\"");  // a surrogate
  EXPECT_EQ(toJson("\xc0\x80"), "\"" + r + r + "\"");
  EXPECT_EQ(toJson("\xf0\x9f\x90"), "\"" + r + "\"");
  EXPECT_EQ(toJson(Value::array({{"\xff", 1}})), "{\"" + r + "\":1}");
  EXPECT_EQ(toJson("🐦日"), "\"🐦日\"");
}

TEST(Json, AnObjectStaysOneAlsoIfItIsEmptyOrItsNamesCountFromZero) {
  for (const char* text : {"{}", R"({"0":"a"})", R"({"0":{},"1":[],"2":[{}]})", R"([{},[]])"}) {
    EXPECT_EQ(throughValue(text), text);
  }
  // Its content is that of an array in PHP: only toJson() makes a difference.
  EXPECT_TRUE(*parseJson(R"({"0":"a"})") == Value::list({"a"}));
  EXPECT_TRUE(*parseJson("{}") == Value::array());
}

TEST(Json, WrittenTextIsReadBack) {
  for (const char* text : {"null", "[]", "[[],[1.5,\"\"]]", R"({"a":{"1":2,"b":[true]}})",
                           R"("\u0000\u001f")", "-0", "1.0e+300"}) {
    EXPECT_EQ(throughValue(text), text == std::string_view("-0") ? "0" : text);
  }
}

}  // namespace
}  // namespace stormo
