// Objects, enums and references: the output of PHP 8.2 is kept and forwarded unchanged.
#include <gtest/gtest.h>
#include <stormo/json.h>

#include <string>
#include <string_view>

#include "protocol/php/serialize.h"
#include "support/allocation_count.h"

namespace stormo::php {
namespace {

using std::string_literals::operator""s;

std::string serialized(const Value& value) {
  std::string out;
  serialize(value, out);
  return out;
}

/// The Value of all of `text`. Nothing if bytes are left over.
std::optional<Value> unserialized(std::string_view text, const Limits& limits = {}) {
  std::size_t consumed = 0;
  std::optional<Value> value = unserialize(text, consumed, limits);
  EXPECT_EQ(value.has_value(), serializedLength(text, limits).has_value()) << text;
  return value && consumed == text.size() ? value : std::nullopt;
}

const std::string kObject = R"(O:8:"stdClass":2:{s:4:"name";s:1:"n";s:4:"list";a:1:{i:0;i:1;}})";

/// An object that refers to itself, two levels deep. `self` is its own number.
std::string treeWithNumber(int self) {
  const std::string reference = "r:" + std::to_string(self) + ";";
  return R"(O:1:"T":3:{s:1:"i";i:5;s:1:"t";O:1:"T":3:{s:1:"i";i:5;s:1:"t";)" + reference +
         R"(s:3:"arr";N;}s:3:"arr";a:2:{s:1:"x";)" + reference + R"(s:1:"y";a:1:{i:0;i:1;}}})";
}

std::vector<std::string> opaqueSamples() {
  return {
      kObject,
      R"(O:8:"stdClass":0:{})",
      "O:1:\"P\":3:{s:1:\"a\";i:1;s:4:\"\0*\0b\";a:1:{i:0;i:1;}s:4:\"\0P\0c\";s:1:\"x\";}"s,
      R"(O:2:"S2":2:{s:1:"k";i:1;i:7;s:5:"seven";})",
      R"(O:11:"ArrayObject":4:{i:0;i:0;i:1;a:1:{i:0;i:1;}i:2;a:0:{}i:3;N;})",
      R"(E:11:"Suit:Hearts";)",
      R"(C:2:"Cu":4:{a"}b})",
      R"(C:2:"Cu":0:{})",
      treeWithNumber(1),
      R"(a:2:{s:1:"a";s:1:"v";s:1:"b";R:2;})",
      R"(a:3:{i:0;O:8:"stdClass":1:{s:1:"n";i:1;}i:1;r:2;s:1:"k";r:2;})",
      R"(a:2:{i:0;a:2:{i:0;O:8:"stdClass":1:{s:1:"n";i:1;}i:1;r:3;}i:1;r:3;})",
      R"(a:3:{i:0;C:2:"Cu":22:{a:2:{i:0;i:1;i:1;i:2;}}i:1;O:8:"stdClass":0:{}i:2;r:6;})",
  };
}

TEST(PhpObjects, ObjectsEnumsAndReferencesAreOpaqueAndSerializeToTheSameBytes) {
  for (const std::string& text : opaqueSamples()) {
    const std::optional<Value> value = unserialized(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_TRUE(value->isOpaque()) << text;
    EXPECT_EQ(value->asSerialized(), text);
    EXPECT_EQ(serialized(*value), text);
    EXPECT_EQ(serialized(Value(*value)), text) << "a copy";
    EXPECT_TRUE(*value == *unserialized(text));
  }
}

TEST(PhpObjects, AnOpaqueValueHasNoOtherType) {
  const Value value = *unserialized(kObject);
  EXPECT_FALSE(value.isNull() || value.isString() || value.isArray());
  EXPECT_EQ(value.asString(), "");
  EXPECT_EQ(value.size(), 0u);
  EXPECT_TRUE(value["name"].isNull());
  EXPECT_FALSE(value == *unserialized(R"(O:8:"stdClass":0:{})"));
  EXPECT_EQ(Value("text").asSerialized(), "");
  EXPECT_FALSE(Value("text").isOpaque());
}

TEST(PhpObjects, CutAtAnyByteIsInvalid) {
  for (const std::string& text : opaqueSamples()) {
    for (std::size_t n = 0; n < text.size(); ++n) {
      EXPECT_FALSE(unserialized(text.substr(0, n)).has_value()) << text.substr(0, n);
    }
  }
}

TEST(PhpObjects, PlainPartsNextToAnObjectAreReadable) {
  const std::string text = R"(a:4:{s:8:"group_id";s:1:"7";s:4:"user";)" + kObject +
                           R"(s:4:"suit";E:11:"Suit:Hearts";s:1:"n";d:-0;})";
  const std::optional<Value> value = unserialized(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ((*value)["group_id"].asString(), "7");
  EXPECT_EQ((*value)["user"].asSerialized(), kObject);
  EXPECT_EQ((*value)["suit"].asSerialized(), R"(E:11:"Suit:Hearts";)");
  EXPECT_TRUE((*value)["n"].isDouble());
  EXPECT_EQ(serialized(*value), text);
  EXPECT_EQ(toJson(*value), R"({"group_id":"7","user":null,"suit":null,"n":-0})");
}

TEST(PhpObjects, ReferencesWithinAnObjectAreRenumbered) {
  const std::string text = R"(a:4:{s:1:"a";i:1;s:1:"b";a:2:{i:0;i:2;i:1;i:3;}s:1:"t";)" +
                           treeWithNumber(6) + R"(s:1:"z";i:9;})";
  const std::optional<Value> value = unserialized(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ((*value)["z"].asInt(), 9);
  EXPECT_EQ((*value)["t"].asSerialized(), treeWithNumber(1));
  EXPECT_EQ(serialized(*value), text);
  EXPECT_EQ(serialized(Value::list({Value::list({2}), (*value)["t"]})),
            "a:2:{i:0;a:1:{i:0;i:2;}i:1;" + treeWithNumber(4) + "}");
  // After another one, whose values count, too.
  EXPECT_EQ(serialized(Value::list({(*value)["t"], (*value)["t"]})),
            "a:2:{i:0;" + treeWithNumber(2) + "i:1;" + treeWithNumber(12) + "}");
}

TEST(PhpObjects, AnArrayWithReferencesBecomesPartOfAnotherOne) {
  const Value value = *unserialized(R"(a:2:{s:1:"a";s:1:"v";s:1:"b";R:2;})");
  EXPECT_EQ(serialized(Value::list({7, value})),
            R"(a:2:{i:0;i:7;i:1;a:2:{s:1:"a";s:1:"v";s:1:"b";R:4;}})");
}

TEST(PhpObjects, AReferenceOutOfItsObjectMakesTheWholeValueOpaque) {
  const std::string text = R"(a:2:{i:0;O:1:"A":0:{}i:1;O:1:"B":1:{s:1:"a";r:2;}})";
  EXPECT_TRUE(unserialized(text)->isOpaque());
  EXPECT_EQ(serialized(*unserialized(text)), text);
}

TEST(PhpObjects, TextThatLooksLikeAReferenceIsKept) {
  const Value value = Value::list({*unserialized(R"(O:1:"A":1:{s:1:"a";s:5:";r:1;";})")});
  EXPECT_EQ(serialized(value), R"(a:1:{i:0;O:1:"A":1:{s:1:"a";s:5:";r:1;";}})");
}

TEST(PhpObjects, MalformedOnesAreRejected) {
  for (const std::string_view text : {R"(O:8:"stdClass":0:{)",
                                      R"(O:8:"stdClass":1:{})",
                                      R"(O:0:"":0:{})",
                                      R"(O:1:"A":1:{N;N;})",
                                      R"(O:+1:"A":0:{})",
                                      R"(O:2:"A":0:{})",
                                      R"(O:1:"A":-1:{})",
                                      R"(O:1:"A";)",
                                      R"(O:1:"A":0:{N;})",
                                      R"(O:1:"A":1:{i:0;})",
                                      R"(C:2:"Cu":4:{a"}b)",
                                      R"(C:2:"Cu":5:{a"}b})",
                                      R"(C:2:"Cu":9999:{})",
                                      R"(C:0:"":0:{})",
                                      R"(E:11:"Suit:Hearts")",
                                      R"(E:10:"SuitHearts";)",
                                      R"(E:99:"Suit:Hearts";)",
                                      "R:1;",
                                      "r:1;",
                                      "R:0;",
                                      "a:1:{i:0;R:0;}",
                                      "a:1:{i:0;R:5;}",
                                      "a:1:{i:0;r:2;}",
                                      "a:1:{i:0;R:-1;}",
                                      "a:1:{R:1;i:0;}",
                                      "a:1:{r:1;i:0;}",
                                      "a:2:{i:0;R:3;i:1;N;}",
                                      "a:1:{i:0;R:99999999999999999999;}",
                                      R"(a:1:{O:1:"A":0:{}i:0;})",
                                      R"(a:1:{E:3:"A:B";i:0;})",
                                      R"(S:1:"a";)",
                                      "o:0:{}"}) {
    EXPECT_FALSE(unserialized(text).has_value()) << text;
  }
}

TEST(PhpObjects, DepthAndPropertiesAreLimitedTogetherWithArrays) {
  const auto nested = [](int depth) {
    std::string text = "N;";
    for (int i = 0; i < depth; ++i) {
      text = (i % 2 == 0 ? R"(O:1:"A":1:{i:0;)" : "a:1:{i:0;") + text + "}";
    }
    return text;
  };
  EXPECT_TRUE(unserialized(nested(64)).has_value());
  EXPECT_FALSE(unserialized(nested(65)).has_value());
  EXPECT_FALSE(unserialized(nested(10'000)).has_value());
  const std::string text = R"(a:2:{i:0;O:1:"A":2:{i:0;N;i:1;N;}i:1;N;})";
  EXPECT_TRUE(unserialized(text, {.elementsMax = 4}).has_value());
  EXPECT_FALSE(unserialized(text, {.elementsMax = 3}).has_value());
}

TEST(PhpObjects, SkippingThemDoesNotAllocate) {
  const std::uint64_t before = test::allocationCount();
  EXPECT_EQ(serializedLength(kObject), kObject.size());
  EXPECT_EQ(test::allocationCount(), before);
}

}  // namespace
}  // namespace stormo::php
