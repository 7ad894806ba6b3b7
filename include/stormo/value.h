#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace stormo {

namespace php {
class ValueBuilder;
}

/// What a message is made of: null, bool, 64-bit integer, double, string of bytes, or an array as
/// PHP keeps it, ordered, with integer and string keys. A Value owns all it holds; a copy is deep.
/// What only PHP can build, an object or an enum, is opaque: it can be kept and passed on.
///
///     Value order = Value::array({{"id", 7}, {"lines", Value::list({"tea", "bread"})}});
///     order["lines"][0].asString()   // "tea"
///     order["absent"]["deeper"]      // null: absence is no error
class Value {
 public:
  class Key;
  struct Entry;

  /// Null.
  Value() = default;
  Value(std::nullptr_t) {}

  /// Exactly a bool: neither a pointer nor a number becomes one by accident.
  template <std::same_as<bool> Bool>
  Value(Bool value) : data_(value) {}

  /// Any integer but a character. Beyond int64 it becomes a double, as in PHP.
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char> &&
           !std::same_as<Integer, wchar_t> && !std::same_as<Integer, char8_t> &&
           !std::same_as<Integer, char16_t> && !std::same_as<Integer, char32_t>)
      Value(Integer value)
      : data_(fromInteger(value)) {}

  template <std::floating_point Float>
  Value(Float value) : data_(static_cast<double>(value)) {}

  /// `text` ends with a zero byte and is not null.
  Value(const char* text) : data_(std::string(text)) {}
  Value(std::string_view bytes) : data_(std::string(bytes)) {}
  Value(std::string bytes) : data_(std::move(bytes)) {}

  Value(const Value& other);
  /// Leaves null behind.
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  /// An array of keys and values; of a key given twice the last value counts, in the first's place.
  static Value array(std::initializer_list<Entry> entries = {});
  /// An array with the keys 0, 1, 2, ...
  static Value list(std::initializer_list<Value> values = {});

  [[nodiscard]] bool isNull() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] bool isBool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool isInt() const { return std::holds_alternative<std::int64_t>(data_); }
  [[nodiscard]] bool isDouble() const { return std::holds_alternative<double>(data_); }
  [[nodiscard]] bool isString() const { return std::holds_alternative<std::string>(data_); }
  [[nodiscard]] bool isArray() const { return std::holds_alternative<ArrayPointer>(data_); }
  /// A PHP object or enum; or an array whose elements refer to one another (PHP's references).
  [[nodiscard]] bool isOpaque() const { return std::holds_alternative<Opaque>(data_); }
  /// An array whose keys are 0 to size()-1 in this order. So is an empty one.
  [[nodiscard]] bool isList() const;

  /// The content if it is of that type, else `otherwise`. asDouble takes an integer too.
  [[nodiscard]] bool asBool(bool otherwise = false) const;
  [[nodiscard]] std::int64_t asInt(std::int64_t otherwise = 0) const;
  [[nodiscard]] double asDouble(double otherwise = 0) const;
  /// The bytes of a string, else an empty view. Valid until this Value changes or dies.
  [[nodiscard]] std::string_view asString() const;
  /// What is opaque in PHP's serialize() format, else an empty view. Valid as asString().
  [[nodiscard]] std::string_view asSerialized() const;

  /// The element of that key; a null Value that lives forever if there is none or this is no
  /// array. Valid until this Value changes or dies. Keys are compared as PHP does: "8" is 8.
  const Value& operator[](std::string_view key) const;
  template <std::integral Integer>
  const Value& operator[](Integer key) const {
    return std::in_range<std::int64_t>(key) ? at(static_cast<std::int64_t>(key))
                                            : (*this)[std::string_view(std::to_string(key))];
  }

  [[nodiscard]] bool contains(std::string_view key) const;
  template <std::integral Integer>
  [[nodiscard]] bool contains(Integer key) const {
    return std::in_range<std::int64_t>(key) ? find(static_cast<std::int64_t>(key)) != nullptr
                                            : contains(std::string_view(std::to_string(key)));
  }

  /// Elements of an array; 0 of anything else.
  [[nodiscard]] std::size_t size() const;

  /// Puts `value` at `key`: in the old one's place, else at the end. A null Value becomes an
  /// array by it; on any other type it throws std::logic_error. Gives *this.
  Value& set(Key key, Value value);
  /// Puts `value` behind the largest integer key there was, at 0 if none was above it (the rule of
  /// PHP up to 8.2). As set(); throws std::length_error if the largest key is the largest int64.
  Value& append(Value value);

  /// The entries of an array in their order, none of anything else:
  /// `for (const auto& [key, element] : value)`. Valid until this Value changes or dies.
  [[nodiscard]] const Entry* begin() const;
  [[nodiscard]] const Entry* end() const;

  /// Same type and content; arrays: same keys, in the same order, with equal elements (PHP's ===).
  friend bool operator==(const Value& left, const Value& right);

 private:
  struct Array;
  struct DeleteArray {
    void operator()(Array* array) const;
  };
  using ArrayPointer = std::unique_ptr<Array, DeleteArray>;  // null never

  /// One value that stands alone: what it refers to is inside.
  struct Opaque {
    std::string serialized;
    bool operator==(const Opaque&) const = default;
  };
  friend class php::ValueBuilder;

  using Data =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, ArrayPointer, Opaque>;

  template <std::integral Integer>
  static Data fromInteger(Integer value) {
    if (std::in_range<std::int64_t>(value)) return static_cast<std::int64_t>(value);
    return static_cast<double>(value);
  }
  static const Value& null();
  const Value& at(std::int64_t key) const;
  [[nodiscard]] const Value* find(std::int64_t key) const;
  [[nodiscard]] const Value* find(std::string_view key) const;
  Array& becomeArray();

  Data data_;
};

/// A key of an array: an integer or bytes. Bytes that spell an int64 in canonical decimal are that
/// integer: "8" and "-5" are, "08", "+8", "-0" and "8.0" stay bytes. An integer beyond int64 is the
/// bytes of its decimal, as in PHP's arrays from JSON; never another integer.
class Value::Key {
 public:
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>) Key(Integer key)
      : data_(fromInteger(key)) {}
  Key(std::string_view key);
  Key(const std::string& key) : Key(std::string_view(key)) {}
  Key(const char* key) : Key(std::string_view(key)) {}

  [[nodiscard]] bool isInt() const { return std::holds_alternative<std::int64_t>(data_); }
  [[nodiscard]] bool isString() const { return !isInt(); }
  /// 0 if it is bytes.
  [[nodiscard]] std::int64_t asInt() const { return isInt() ? std::get<0>(data_) : 0; }
  /// Empty if it is an integer.
  [[nodiscard]] std::string_view asString() const {
    return isInt() ? std::string_view() : std::string_view(std::get<1>(data_));
  }
  /// Bytes for people and for JSON: an integer in decimal.
  [[nodiscard]] std::string text() const;

  bool operator==(const Key&) const = default;

 private:
  using Data = std::variant<std::int64_t, std::string>;

  template <std::integral Integer>
  static Data fromInteger(Integer key) {
    if (std::in_range<std::int64_t>(key)) return static_cast<std::int64_t>(key);
    return std::to_string(key);
  }

  Data data_;
};

struct Value::Entry {
  Key key;
  Value value;
};

}  // namespace stormo
