#include <gtest/gtest.h>
#include <stormo/json.h>
#include <stormo/value.h>

#include <array>
#include <chrono>
#include <deque>
#include <limits>
#include <stdexcept>
#include <vector>

namespace stormo {
namespace {

using std::string_literals::operator""s;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

/// The keys in their order as text: "a,8,-5".
std::string keys(const Value& value) {
  std::string out;
  for (const auto& [key, element] : value) out += (out.empty() ? "" : ",") + key.text();
  return out;
}

// Pointers and characters are not converted to a Value.
static_assert(!std::is_constructible_v<Value, int*>);
static_assert(!std::is_constructible_v<Value, void*>);
static_assert(!std::is_constructible_v<Value, char>);
static_assert(!std::is_constructible_v<Value::Key, bool>);

TEST(Value, HasTheTypeOfItsConstructor) {
  EXPECT_TRUE(Value().isNull());
  EXPECT_TRUE(Value(nullptr).isNull());
  EXPECT_TRUE(Value(true).isBool());
  EXPECT_TRUE(Value(0).isInt());
  EXPECT_TRUE(Value(std::size_t{7}).isInt());
  EXPECT_TRUE(Value(1.0).isDouble());
  EXPECT_TRUE(Value(1.0f).isDouble());
  EXPECT_TRUE(Value("text").isString());
  EXPECT_TRUE(Value("text"s).isString());
  EXPECT_TRUE(Value(std::string_view("text")).isString());
  EXPECT_TRUE(Value::array().isArray());
  EXPECT_TRUE(Value::list().isArray());
}

TEST(Value, AnIntegerBeyondInt64IsADouble) {
  EXPECT_TRUE(Value(std::uint64_t{kMax}).isInt());
  EXPECT_TRUE(Value(std::uint64_t{kMax} + 1).isDouble());
  EXPECT_EQ(Value(std::uint64_t{kMax} + 1).asDouble(), 9223372036854775808.0);
}

TEST(Value, AKeyBeyondInt64BecomesItsDecimalText) {
  const std::uint64_t beyond = std::uint64_t{kMax} + 1;
  EXPECT_TRUE(Value::Key(std::uint64_t{kMax}).isInt());
  EXPECT_TRUE(Value::Key(beyond) == Value::Key("9223372036854775808"));
  Value value;
  value.set(beyond, "set").set(kMin, "other");
  EXPECT_EQ(keys(value), "9223372036854775808,-9223372036854775808");
  EXPECT_EQ(value[beyond].asString(), "set");
  EXPECT_TRUE(value.contains(beyond));
  EXPECT_FALSE(value.contains(beyond + 1));
  EXPECT_TRUE(value[beyond + 1].isNull());
}

TEST(Value, ReturnsItsContentOrTheDefault) {
  EXPECT_EQ(Value(true).asBool(), true);
  EXPECT_EQ(Value(1).asBool(), false);
  EXPECT_EQ(Value().asBool(true), true);
  EXPECT_EQ(Value(7).asInt(), 7);
  EXPECT_EQ(Value(7.5).asInt(), 0);
  EXPECT_EQ(Value("7").asInt(-1), -1);
  EXPECT_EQ(Value(7.5).asDouble(), 7.5);
  EXPECT_EQ(Value(7).asDouble(), 7.0);
  EXPECT_EQ(Value().asDouble(2), 2.0);
  EXPECT_EQ(Value("a\0b"s).asString(), "a\0b"s);
  EXPECT_EQ(Value(7).asString(), "");
}

TEST(Value, AMissingKeyReadsAsNullAtAnyDepth) {
  const Value value = Value::array({{"a", Value::list({1})}});
  EXPECT_EQ(value["a"][0].asInt(), 1);
  EXPECT_TRUE(value["a"][1].isNull());
  EXPECT_TRUE(value["b"]["c"][0].isNull());
  EXPECT_TRUE(Value("text")[0].isNull());
  EXPECT_TRUE(value["a"][std::uint64_t{kMax} + 1].isNull());
}

TEST(Value, AStringKeyInCanonicalDecimalIsAnInteger) {
  Value value;
  for (const char* key : {"8", "-5", "0", "9223372036854775807", "-9223372036854775808"}) {
    value.set(key, key);
  }
  for (const auto& [key, element] : value) EXPECT_TRUE(key.isInt()) << element.asString();
  EXPECT_EQ(value[8].asString(), "8");
  EXPECT_EQ(value["8"].asString(), "8");
  EXPECT_EQ(value[kMax].asString(), "9223372036854775807");
  EXPECT_EQ(value[kMin].asString(), "-9223372036854775808");
}

TEST(Value, AStringKeyInOtherDecimalStaysAString) {
  for (const char* text :
       {"08", "-0", "-08", "+8", "8.0", " 8", "8 ", "", "-", "1e3", "0x8", "00",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999", "-"}) {
    const Value::Key key(text);
    EXPECT_TRUE(key.isString()) << text;
    EXPECT_EQ(key.asString(), text);
  }
}

TEST(Value, KeepsInsertionOrderAndThePlaceOfADuplicateKey) {
  Value value = Value::array({{"b", 1}, {"a", 2}, {7, 3}});
  value.set("c", 4).set("b", 5).set("7", 6);
  EXPECT_EQ(keys(value), "b,a,7,c");
  EXPECT_EQ(value["b"].asInt(), 5);
  EXPECT_EQ(value[7].asInt(), 6);
  EXPECT_EQ(value.size(), 4u);
}

TEST(Value, AppendUsesTheLargestIntegerKeyPlusOne) {
  Value value;
  value.append("a").append("b").set("x", "c").append("d");
  EXPECT_EQ(keys(value), "0,1,x,2");
  value.set(10, "e").append("f").set(5, "g").append("h");
  EXPECT_EQ(keys(value), "0,1,x,2,10,11,5,12");
  EXPECT_EQ(keys(Value::array({{-5, "a"}}).append("b")), "-5,0");
}

TEST(Value, AppendThrowsAfterTheLargestKey) {
  Value value = Value::array({{kMax - 1, "a"}});
  value.append("b");
  EXPECT_EQ(value[kMax].asString(), "b");
  EXPECT_THROW(value.append("c"), std::length_error);
  value.set(kMax, "d");
  EXPECT_EQ(value.size(), 2u);
  EXPECT_EQ(value[kMax].asString(), "d");
}

TEST(Value, OnlyNullBecomesAnArray) {
  EXPECT_TRUE(Value().set("a", 1).isArray());
  EXPECT_TRUE(Value().append(1).isArray());
  Value number = 7;
  EXPECT_THROW(number.set("a", 1), std::logic_error);
  EXPECT_THROW(number.append(1), std::logic_error);
  EXPECT_EQ(number.asInt(), 7);
}

TEST(Value, AtAddsTheMissingElementForWriting) {
  Value order;
  order.at("customer").at("name") = "Ada";
  order.at("lines").append("tea");
  order.at(7) = 1.5;
  order.at("customer").at("name") = "Bob";
  EXPECT_EQ(toJson(order), R"({"customer":{"name":"Bob"},"lines":["tea"],"7":1.5})");
  Value list = Value::list({1, 2});
  list.at(2) = 3;
  list.at("0") = 0;
  EXPECT_TRUE(list == Value::list({0, 2, 3}));
}

TEST(Value, AtOfANonArrayThrowsAndReadingAMissingKeyAddsNothing) {
  Value text = "text";
  EXPECT_THROW(text.at("a") = 1, std::logic_error);
  EXPECT_EQ(text.asString(), "text");
  Value array = Value::array();
  EXPECT_TRUE(array["a"]["b"].isNull());
  EXPECT_EQ(array.size(), 0u);
  static_assert(!std::is_assignable_v<decltype(array["a"]), int>);
}

TEST(Value, EraseRemovesOneElementAndKeepsKeysAndOrderOfTheOthers) {
  Value value = Value::array({{"b", 1}, {5, 2}, {"a", 3}});
  EXPECT_TRUE(value.erase("5"));
  EXPECT_FALSE(value.erase(5));
  EXPECT_EQ(keys(value), "b,a");
  value.append(4);  // as in PHP, the erased key is not used again
  EXPECT_EQ(keys(value), "b,a,6");
  EXPECT_FALSE(Value().erase("a"));
  EXPECT_FALSE(Value("text").erase(0));
}

TEST(Value, EraseFromAListLeavesAListOnlyAtItsEnd) {
  Value value = Value::list({"a", "b", "c"});
  EXPECT_TRUE(value.erase(2));
  EXPECT_TRUE(value.isList());
  EXPECT_TRUE(value.erase(0));
  EXPECT_FALSE(value.isList());
  EXPECT_EQ(keys(value), "1");
  EXPECT_EQ(value[1].asString(), "b");
  EXPECT_TRUE(value.erase(1));
  EXPECT_TRUE(value.isList());
  EXPECT_EQ(keys(value.append("d")), "3");
  EXPECT_EQ(value[3].asString(), "d");
}

TEST(Value, ABigArrayFindsItsKeysAfterEachErase) {
  for (const bool strings : {false, true}) {
    const auto key = [&](int i) -> Value::Key {
      if (strings) return "key " + std::to_string(i);
      return i;
    };
    Value value;
    for (int i = 0; i < 60; ++i) value.set(key(i), i);
    for (int erased = 0; erased < 60; ++erased) {
      ASSERT_TRUE(value.erase(key(erased)));
      for (int i = 0; i < 60; ++i) {
        ASSERT_EQ(value.contains(std::string_view(key(i).text())), i > erased) << i;
        ASSERT_EQ(value[std::string_view(key(i).text())].asInt(-1), i > erased ? i : -1);
      }
    }
    EXPECT_EQ(value.size(), 0u);
  }
}

TEST(Value, ListAcceptsAnyRangeOfConvertibleElements) {
  const std::vector<std::string> names = {"tea", "bread"};
  const Value expected = Value::list({"tea", "bread"});
  EXPECT_TRUE(Value::list(names) == expected);
  EXPECT_TRUE(Value::list(std::vector<std::string>(names)) == expected);
  EXPECT_TRUE(Value::list(std::array<const char*, 2>{"tea", "bread"}) == expected);
  EXPECT_TRUE(Value::list(std::deque<Value>{"tea", "bread"}) == expected);
  EXPECT_TRUE(Value::list(std::vector<bool>{true, false}) == Value::list({true, false}));
  EXPECT_TRUE(Value::list(names | std::views::take(1)) == Value::list({"tea"}));
  EXPECT_TRUE(Value::list(std::vector<int>()).isList());
}

TEST(Value, AMessageBecomesAStringOfItsBytes) {
  const Message message = binary("a\xff");
  EXPECT_TRUE(Value(message) == Value("a\xff"));
  const Value value = Value::array({{"text", message}, {"list", Value::list({message, message})}});
  EXPECT_EQ(value["text"].asString(), "a\xff");
  EXPECT_EQ(value["list"][1].asString(), "a\xff");
}

TEST(Value, TextIsAStringOrTheDecimalsOfANumber) {
  EXPECT_EQ(Value("a\0b"s).text(), "a\0b"s);
  EXPECT_EQ(Value(-7).text(), "-7");
  EXPECT_EQ(Value(0.1).text(), "0.1");
  EXPECT_EQ(Value(1e25).text("else"), "1.0e+25");
  for (const Value& other :
       {Value(), Value(true), Value::list(), Value(std::numeric_limits<double>::infinity())}) {
    EXPECT_EQ(other.text(), "");
    EXPECT_EQ(other.text("else"), "else");
  }
}

TEST(Value, ATemporaryReturnsContentThatOutlivesIt) {
  const std::string json = R"({"a":{"b":"a string too long for the small buffer"}})";
  const auto text = (*parseJson(json))["a"]["b"].asString();
  static_assert(std::is_same_v<decltype(text), const std::string>);
  EXPECT_EQ(text, "a string too long for the small buffer");
  const Value& element = (*parseJson("[[1,2]]"))[0];
  EXPECT_TRUE(element == Value::list({1, 2}));
  EXPECT_TRUE((*parseJson("[1]"))["absent"][7].isNull());
  EXPECT_TRUE((*parseJson("[1]"))[std::uint64_t{kMax} + 1].isNull());
  EXPECT_EQ(Value(7).asString(), "");
  EXPECT_EQ(Value(7).asSerialized(), "");
  // The null that all missing elements share is not moved from.
  Value null = Value()["absent"];
  null.set("a", 1);
  EXPECT_TRUE(Value()["absent"].isNull());
}

TEST(Value, AnObjectDiffersFromAnArrayOnlyInJson) {
  const Value object = Value::object();
  EXPECT_TRUE(object.isArray());
  EXPECT_TRUE(object.isObject());
  EXPECT_TRUE(object.isList());
  EXPECT_FALSE(Value::array().isObject());
  EXPECT_FALSE(Value().isObject());
  EXPECT_TRUE(Value::array({{"a", 1}}).isObject());
  EXPECT_TRUE(object == Value::array());
  EXPECT_EQ(toJson(object), "{}");
  EXPECT_EQ(toJson(Value::object({{0, "a"}, {1, "b"}})), R"({"0":"a","1":"b"})");
  Value copy = object;
  EXPECT_EQ(toJson(copy.append(1)), R"({"0":1})");
  EXPECT_TRUE(copy.erase(0));
  EXPECT_EQ(toJson(std::move(copy)), "{}");
}

TEST(Value, IsAListWhenItsKeysCountFromZeroInOrder) {
  EXPECT_TRUE(Value::list().isList());
  EXPECT_TRUE(Value::array().isList());
  EXPECT_TRUE(Value::list({1, 2}).isList());
  EXPECT_TRUE(Value::array({{"0", 1}, {1, 2}}).isList());
  EXPECT_FALSE(Value::array({{1, 1}, {0, 2}}).isList());
  EXPECT_FALSE(Value::array({{1, 1}}).isList());
  EXPECT_FALSE(Value::array({{"a", 1}}).isList());
  EXPECT_FALSE(Value().isList());
}

TEST(Value, EqualityComparesTypesContentAndOrder) {
  const auto make = [] { return Value::array({{"a", Value::list({1, "x"})}, {"b", nullptr}}); };
  EXPECT_TRUE(make() == make());
  EXPECT_FALSE(make() == make().set("c", 1));
  EXPECT_FALSE(Value::list({1, 2}) == Value::list({2, 1}));
  EXPECT_FALSE(Value::array({{"a", 1}, {"b", 2}}) == Value::array({{"b", 2}, {"a", 1}}));
  EXPECT_FALSE(Value(1) == Value(1.0));
  EXPECT_FALSE(Value(1) == Value("1"));
  EXPECT_FALSE(Value(0) == Value(false));
  EXPECT_FALSE(Value() == Value::array());
}

TEST(Value, ACopyIsDeepAndAMoveLeavesNull) {
  Value original = Value::array({{"a", Value::list({1})}});
  Value copy = original;
  copy.set("a", 2);
  EXPECT_EQ(original["a"][0].asInt(), 1);
  const Value moved = std::move(original);
  EXPECT_EQ(moved["a"][0].asInt(), 1);
  EXPECT_TRUE(original.isNull());  // NOLINT(bugprone-use-after-move): the test is about this
}

TEST(Value, MayBeAssignedFromItsOwnElement) {
  Value value = Value::array({{"a", Value::list({1, 2})}});
  value = value["a"];
  EXPECT_TRUE(value == Value::list({1, 2}));
  value.append(value);
  EXPECT_TRUE(value == Value::list({1, 2, Value::list({1, 2})}));
}

TEST(Value, ABigArrayFindsEveryKeyAndNoOther) {
  Value value;
  for (int i = 0; i < 1000; ++i) {
    value.set("key " + std::to_string(i), i);
    value.set(-i, i);
    ASSERT_EQ(value.size(), static_cast<std::size_t>(2 * i + 2));
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(value["key " + std::to_string(i)].asInt(-1), i);
    EXPECT_EQ(value[-i].asInt(-1), i);
  }
  EXPECT_FALSE(value.contains("key 1000"));
  EXPECT_FALSE(value.contains(1));
  value.set("key 7", "again");
  EXPECT_EQ(value.size(), 2000u);
  const Value copy = value;
  EXPECT_EQ(copy["key 999"].asInt(), 999);
}

TEST(Value, ABigListThatBecomesAnArrayStillFindsItsKeys) {
  Value value;
  for (int i = 0; i < 100; ++i) value.append(i);
  value.set("x", "end");
  EXPECT_FALSE(value.isList());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(value[i].asInt(-1), i);
  EXPECT_EQ(value["x"].asString(), "end");
  EXPECT_FALSE(value.contains(100));
}

TEST(Value, CollidingKeysDoNotSlowItDown) {
  // Multiples of 2^20 have the same low bits, so they would share one bucket of a table without a
  // hash.
  const auto start = std::chrono::steady_clock::now();
  Value value;
  for (std::int64_t i = 100'000; i > 0; --i) value.set(i << 20, i);
  EXPECT_EQ(value[std::int64_t{500} << 20].asInt(), 500);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace stormo
