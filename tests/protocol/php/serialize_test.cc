#include "protocol/php/serialize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "protocol/php/double.h"
#include "support/allocation_count.h"

namespace stormo::php {
namespace {

using std::string_literals::operator""s;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string serialized(const Value& value) {
  std::string out;
  serialize(value, out);
  return out;
}

/// The Value of all of `text`. Nothing if bytes are left over.
std::optional<Value> unserialized(std::string_view text, const Limits& limits = {}) {
  // Its own allocation, so that a sanitizer sees a read beyond its end.
  const std::vector<char> copy(text.begin(), text.end());
  const std::string_view in(copy.data(), copy.size());
  std::size_t consumed = 0;
  std::optional<Value> value = unserialize(in, consumed, limits);
  const std::optional<std::size_t> length = serializedLength(in, limits);
  EXPECT_EQ(value.has_value(), length.has_value()) << text;
  if (value && length) {
    EXPECT_EQ(consumed, *length) << text;
  }
  return value && consumed == text.size() ? value : std::nullopt;
}

/// Values, and the text that PHP 8.2 writes for them.
std::vector<std::pair<Value, std::string>> samples() {
  return {
      {nullptr, "N;"},
      {true, "b:1;"},
      {false, "b:0;"},
      {0, "i:0;"},
      {-42, "i:-42;"},
      {std::numeric_limits<std::int64_t>::max(), "i:9223372036854775807;"},
      {std::numeric_limits<std::int64_t>::min(), "i:-9223372036854775808;"},
      {"", "s:0:\"\";"},
      {"bytes\0\xff\"quoted\";}"s, "s:17:\"bytes\0\xff\"quoted\";}\";"s},
      {"日本語 🐦", "s:14:\"日本語 🐦\";"},
      {Value::array(), "a:0:{}"},
      {Value::list({1, 2, 3}), "a:3:{i:0;i:1;i:1;i:2;i:2;i:3;}"},
      {Value::array({{"a", Value::array({{"b", Value::list({nullptr, 1.25, "x"})}})},
                     {7, "int key"},
                     {"8", "numeric string key"},
                     {-5, "neg"},
                     {"08", "not numeric"}}),
       R"(a:5:{s:1:"a";a:1:{s:1:"b";a:3:{i:0;N;i:1;d:1.25;i:2;s:1:"x";}}i:7;s:7:"int key";)"
       R"(i:8;s:18:"numeric string key";i:-5;s:3:"neg";s:2:"08";s:11:"not numeric";})"},
  };
}

TEST(PhpSerialize, WritesTheBytesOfPhp) {
  for (const auto& [value, text] : samples()) EXPECT_EQ(serialized(value), text);
}

TEST(PhpSerialize, ReadsWhatItWrites) {
  for (const auto& [value, text] : samples()) {
    const std::optional<Value> read = unserialized(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_TRUE(*read == value) << text;
  }
}

TEST(PhpSerialize, CutAtAnyByteIsInvalid) {
  for (const auto& [value, text] : samples()) {
    for (std::size_t n = 0; n < text.size(); ++n) {
      EXPECT_FALSE(unserialized(text.substr(0, n)).has_value()) << text.substr(0, n);
    }
  }
}

TEST(PhpSerialize, ReportsTheConsumedBytesAndIgnoresTheRest) {
  for (const auto& [value, text] : samples()) {
    std::size_t consumed = 0;
    EXPECT_TRUE(unserialize(text + "}trailing", consumed).has_value()) << text;
    EXPECT_EQ(consumed, text.size());
    EXPECT_EQ(serializedLength(text + "}trailing"), text.size());
  }
}

TEST(PhpSerialize, WritesDoublesWithTheFewestDigitsAsPhpDoes) {
  const std::pair<double, const char*> doubles[] = {
      {0.1, "0.1"},
      {1, "1"},
      {-0.0, "-0"},
      {0.0, "0"},
      {-1.5e300, "-1.5E+300"},
      {1e25, "1.0E+25"},
      {1e15, "1000000000000000"},
      {1e16, "10000000000000000"},
      {1e17, "1.0E+17"},
      {123456789012345680.0, "1.2345678901234568E+17"},
      {0.0001, "0.0001"},
      {0.00012345, "0.00012345"},
      {0.00001, "1.0E-5"},
      {1.5e-7, "1.5E-7"},
      {5e-324, "5.0E-324"},
      {1.7976931348623157e308, "1.7976931348623157E+308"},
      {1.0 / 3, "0.3333333333333333"},
      {12345.678, "12345.678"},
      {-100, "-100"},
      {kInfinity, "INF"},
      {-kInfinity, "-INF"},
      {std::numeric_limits<double>::quiet_NaN(), "NAN"},
  };
  for (const auto& [value, text] : doubles) {
    const std::string wire = "d:" + std::string(text) + ";";
    EXPECT_EQ(serialized(value), wire);
    const std::optional<Value> read = unserialized(wire);
    ASSERT_TRUE(read.has_value()) << wire;
    EXPECT_EQ(serialized(*read), wire);
    EXPECT_EQ(std::signbit(read->asDouble()), std::signbit(value)) << wire;
  }
}

TEST(PhpSerialize, ReadsTheNumberFormatsOfPhp) {
  EXPECT_EQ(unserialized("i:+5;")->asInt(), 5);
  EXPECT_EQ(unserialized("i:007;")->asInt(), 7);
  EXPECT_EQ(unserialized("i:-0;")->asInt(), 0);
  EXPECT_EQ(unserialized("d:5.;")->asDouble(), 5);
  EXPECT_EQ(unserialized("d:.5;")->asDouble(), 0.5);
  EXPECT_EQ(unserialized("d:+1.E+2;")->asDouble(), 100);
  EXPECT_EQ(unserialized("d:2e3;")->asDouble(), 2000);
  EXPECT_EQ(unserialized("a:01:{i:0;N;}")->size(), 1u);
  EXPECT_EQ(unserialized("s:03:\"abc\";")->asString(), "abc");
}

TEST(PhpSerialize, DoublesBeyondTheirRangeBecomeInfiniteOrZero) {
  EXPECT_EQ(parseDouble("1e999"), kInfinity);
  EXPECT_EQ(parseDouble("-1e999"), -kInfinity);
  EXPECT_EQ(parseDouble("1e99999999999999999999"), kInfinity);
  EXPECT_EQ(parseDouble("1" + std::string(400, '0')), kInfinity);
  EXPECT_EQ(parseDouble("1" + std::string(400, '0') + ".5e-1"), kInfinity);
  EXPECT_EQ(parseDouble("1e-999"), 0);
  EXPECT_EQ(parseDouble("1e-99999999999999999999"), 0);
  EXPECT_EQ(parseDouble("0." + std::string(400, '0') + "1"), 0);
  EXPECT_EQ(parseDouble("0." + std::string(700, '0') + "1e+300"), 0);
  EXPECT_EQ(parseDouble("0e999"), 0);
  EXPECT_TRUE(std::signbit(parseDouble("-1e-999")));
}

TEST(PhpSerialize, DuplicateKeysKeepTheLastValueAtTheFirstPlace) {
  EXPECT_EQ(serialized(*unserialized(R"(a:3:{s:1:"k";i:1;i:8;i:2;s:1:"k";i:3;})")),
            R"(a:2:{s:1:"k";i:3;i:8;i:2;})");
  EXPECT_EQ(serialized(*unserialized(R"(a:2:{s:1:"8";i:1;i:8;i:2;})")), "a:1:{i:8;i:2;}");
}

TEST(PhpSerialize, RejectsWhatPhpRejects) {
  for (const char* text : {
           "",
           "N",
           ";",
           "N:;",
           "n;",
           "b:2;",
           "b:;",
           "b:10;",
           "i:;",
           "i:-;",
           "i:1",
           "i:1.0;",
           "i: 1;",
           "i:--1;",
           "i:0x1;",
           "d:;",
           "d:.;",
           "d:-;",
           "d:1e;",
           "d:1e+;",
           "d:e5;",
           "d:+INF;",
           "d:-NAN;",
           "d:nan;",
           "d:0x1p3;",
           "d:1.5.;",
           "s:1:a;",
           "s:1:\"ab\";",
           "s:2:\"a\";",
           "s:-1:\"\";",
           "s:+1:\"a\";",
           "s:1\"a\";",
           "s:1:'a';",
           "s:1:\"a\"",
           "a:1:{}",
           "a:0:{",
           "a:0:{N;}",
           "a:-1:{}",
           "a:+1:{i:0;N;}",
           "a:1:{i:0;}",
           "a:1:{N;N;}",
           "a:1:{b:1;N;}",
           "a:1:{d:1;N;}",
           "a:1:{a:0:{}N;}",
           "a:1:{i:0;N;",
       }) {
    EXPECT_FALSE(unserialized(text).has_value()) << text;
  }
}

TEST(PhpSerialize, IntegersBeyond64BitsAreRejected) {
  EXPECT_FALSE(unserialized("i:9223372036854775808;").has_value());
  EXPECT_FALSE(unserialized("i:-9223372036854775809;").has_value());
  EXPECT_FALSE(unserialized("a:1:{i:99999999999999999999;N;}").has_value());
}

TEST(PhpSerialize, DepthIsLimited) {
  const auto nested = [](int depth) {
    std::string text = "N;";
    for (int i = 0; i < depth; ++i) text = "a:1:{i:0;" + text + "}";
    return text;
  };
  EXPECT_TRUE(unserialized(nested(64)).has_value());
  EXPECT_FALSE(unserialized(nested(65)).has_value());
  EXPECT_FALSE(unserialized("a:0:{}", {.depthMax = 0}).has_value());
  EXPECT_TRUE(unserialized("N;", {.depthMax = 0}).has_value());
  std::string open;
  for (int i = 0; i < 100'000; ++i) open += "a:1:{i:0;";
  EXPECT_FALSE(unserialized(open).has_value());
}

TEST(PhpSerialize, ElementsAreLimitedInTheWholeValue) {
  const std::string text = "a:2:{i:0;a:2:{i:0;N;i:1;N;}i:1;N;}";
  EXPECT_TRUE(unserialized(text, {.elementsMax = 4}).has_value());
  EXPECT_FALSE(unserialized(text, {.elementsMax = 3}).has_value());
}

TEST(PhpSerialize, ImpossibleCountsAllocateNothing) {
  std::size_t consumed = 0;
  const std::uint64_t before = test::allocationCount();
  for (const std::string_view text :
       {"a:4:{i:0;N;i:1;N;i:2;N;}", "a:999999999:{i:0;N;}", "a:18446744073709551615:{i:0;N;}",
        "a:18446744073709551616:{}", "s:999999999999:\"a\";", "s:18446744073709551615:\"a\";",
        "s:18446744073709551616:\"\";"}) {
    EXPECT_FALSE(unserialize(text, consumed).has_value()) << text;
    EXPECT_FALSE(serializedLength(text).has_value()) << text;
  }
  EXPECT_EQ(test::allocationCount(), before);
}

TEST(PhpSerialize, SkippingAllocatesNothing) {
  const std::string text = serialized(samples().back().first);
  const std::uint64_t before = test::allocationCount();
  EXPECT_EQ(serializedLength(text), text.size());
  EXPECT_EQ(test::allocationCount(), before);
}

/// An array in an array in an array ...
Value nested(std::size_t depth) {
  Value value = Value::array();
  for (std::size_t i = 1; i < depth; ++i) value = Value::list().append(std::move(value));
  return value;
}

TEST(PhpLimits, AgreeWithUnserialize) {
  const auto isRead = [](const Value& value, const Limits& limits) {
    std::string bytes;
    serialize(value, bytes);
    std::size_t consumed = 0;
    return unserialize(bytes, consumed, limits).has_value();
  };
  for (const std::size_t depth : {1u, 2u, 3u, 4u}) {
    const Limits limits{.depthMax = 3};
    EXPECT_EQ(isWithin(nested(depth), limits), depth <= 3) << depth;
    EXPECT_EQ(isRead(nested(depth), limits), depth <= 3) << depth;
  }
  Value list = Value::list();
  for (int count = 1; count <= 6; ++count) {
    list.append(Value::list().append(1));
    const Limits limits{.elementsMax = 10};
    EXPECT_EQ(isWithin(list, limits), count <= 5) << count;
    EXPECT_EQ(isRead(list, limits), count <= 5) << count;
  }
  EXPECT_TRUE(isWithin(Value("scalar"), {.depthMax = 0, .elementsMax = 0}));
}

}  // namespace
}  // namespace stormo::php
