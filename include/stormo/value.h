#pragma once

#include <stormo/message.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace stormo {

namespace php {
class ValueBuilder;
}

/// The data of an event, a job or a JSON text: null, bool, 64-bit integer, double, string of bytes,
/// or an array as in PHP: ordered, with integer and string keys. An object or an enum of PHP is
/// opaque: it can be kept and forwarded, but not read. A Value owns its content; a copy is deep.
/// Different Values may be used by different threads at the same time, one Value by one thread.
///
///     Value order = Value::array({{"id", 7}, {"lines", Value::list({"tea", "bread"})}});
///     order["lines"][0].asString()            // "tea"
///     order["absent"]["deeper"]               // null: a missing key is no error
///     order.at("customer").at("name") = "Ada"; // for writing: at() adds what is missing
class Value {
 public:
  class Key;
  struct Entry;

  /// Null.
  Value() = default;
  Value(std::nullptr_t) {}

  /// Exactly a bool. Pointers and numbers are not converted.
  template <std::same_as<bool> Bool>
  Value(Bool value) : data_(value) {}

  /// Any integer type that is not a character type. A number beyond int64 becomes a double, as in
  /// PHP.
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char> &&
           !std::same_as<Integer, wchar_t> && !std::same_as<Integer, char8_t> &&
           !std::same_as<Integer, char16_t> && !std::same_as<Integer, char32_t>)
      Value(Integer value)
      : data_(fromInteger(value)) {}

  template <std::floating_point Float>
  Value(Float value) : data_(static_cast<double>(value)) {}

  /// `text` is not null and ends with a zero byte.
  Value(const char* text) : data_(std::string(text)) {}
  Value(std::string_view bytes) : data_(std::string(bytes)) {}
  Value(std::string bytes) : data_(std::move(bytes)) {}
  /// A copy of the message's bytes. Its type, text or binary, is not kept.
  template <std::same_as<Message> Exactly>
  Value(const Exactly& message) : data_(std::string(message.data)) {}

  Value(const Value& other);
  /// Leaves `other` null.
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  /// An array of keys and values. If a key is given twice, the last value takes the first's place.
  static Value array(std::initializer_list<Entry> entries = {});
  /// The same, but toJson() always writes it as {}, also if it is empty or its keys are 0, 1, 2,
  /// ... This mark is no part of the content: operator==, PHP's serialize() and the Channel ignore
  /// it.
  static Value object(std::initializer_list<Entry> entries = {});
  /// An array with the keys 0, 1, 2, ...
  static Value list(std::initializer_list<Value> values = {});
  /// The same of the elements of a range: a vector, an array, a span, a view.
  template <std::ranges::input_range Range>
  requires std::constructible_from<Value, std::ranges::range_value_t<Range>>
  static Value list(Range&& values) {
    Value list = Value::list();
    for (auto&& value : values) list.append(std::ranges::range_value_t<Range>(value));
    return list;
  }

  [[nodiscard]] bool isNull() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] bool isBool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool isInt() const { return std::holds_alternative<std::int64_t>(data_); }
  [[nodiscard]] bool isDouble() const { return std::holds_alternative<double>(data_); }
  [[nodiscard]] bool isString() const { return std::holds_alternative<std::string>(data_); }
  [[nodiscard]] bool isArray() const { return std::holds_alternative<ArrayPointer>(data_); }
  /// A PHP object or enum, or an array whose elements refer to one another (PHP's references).
  [[nodiscard]] bool isOpaque() const { return std::holds_alternative<Opaque>(data_); }
  /// True for an array whose keys are 0 to size()-1 in this order, so also for an empty one.
  [[nodiscard]] bool isList() const;
  /// True for an array that toJson() writes as {}: it is no list, or was made by object() or by
  /// parseJson() of a JSON object.
  [[nodiscard]] bool isObject() const;

  /// The content if it is of that type, else `otherwise`. asDouble() accepts an integer, too.
  [[nodiscard]] bool asBool(bool otherwise = false) const;
  [[nodiscard]] std::int64_t asInt(std::int64_t otherwise = 0) const;
  [[nodiscard]] double asDouble(double otherwise = 0) const;
  /// The bytes of a string, else an empty view. The view is valid until this Value is changed or
  /// destroyed. A temporary Value returns the bytes themselves, so that
  /// `auto name = (*parseJson(text))["name"].asString()` does not dangle; a string_view would.
  [[nodiscard]] std::string_view asString() const&;
  [[nodiscard]] std::string asString() &&;
  /// The PHP serialize() text of an opaque Value, else an empty view. Valid as asString().
  [[nodiscard]] std::string_view asSerialized() const&;
  [[nodiscard]] std::string asSerialized() &&;
  /// A copy of a string's bytes; the decimal text of an integer or a finite double, as toJson()
  /// writes it; else `otherwise`.
  [[nodiscard]] std::string text(std::string_view otherwise = {}) const;

  /// The element with that key, or a null Value if there is none or this is no array. Never adds
  /// one: to write, use at() or set(). Keys are compared as in PHP: "8" is 8. The reference is
  /// valid until this Value is changed or destroyed; that to a missing element is always valid. A
  /// temporary Value returns the element itself.
  const Value& operator[](std::string_view key) const&;
  Value operator[](std::string_view key) &&;
  template <std::integral Integer>
  const Value& operator[](Integer key) const& {
    return std::in_range<std::int64_t>(key) ? element(static_cast<std::int64_t>(key))
                                            : (*this)[std::string_view(std::to_string(key))];
  }
  template <std::integral Integer>
  Value operator[](Integer key) && {
    return moved((*this)[key]);
  }

  [[nodiscard]] bool contains(std::string_view key) const;
  template <std::integral Integer>
  [[nodiscard]] bool contains(Integer key) const {
    return std::in_range<std::int64_t>(key) ? find(static_cast<std::int64_t>(key)) != nullptr
                                            : contains(std::string_view(std::to_string(key)));
  }

  /// The number of elements of an array, and 0 for any other type.
  [[nodiscard]] std::size_t size() const;

  // Changes of an array. A null Value becomes an array; any other type throws std::logic_error.

  /// The element with that key, for writing. A missing one is added at the end, as null. The
  /// reference is valid until an element is added to or erased from this Value, or it is destroyed.
  Value& at(Key key) &;
  /// Stores `value` at `key`: in the place of the old element, else at the end. Returns *this.
  Value& set(Key key, Value value);
  /// Stores `value` at the largest integer key that was ever in use plus 1, or at 0 if that is
  /// negative or there was none (the rule of PHP up to 8.2). Returns *this. Throws
  /// std::length_error if the largest key is the largest int64.
  Value& append(Value value);
  /// Removes the element with that key, as PHP's unset(): the others keep their keys and order.
  /// False if there is none, or if this is no array. Takes time proportional to size().
  bool erase(const Key& key);

  /// The entries of an array in their order; none for any other type:
  /// `for (const auto& [key, element] : value)`. Valid until this Value is changed or destroyed.
  [[nodiscard]] const Entry* begin() const;
  [[nodiscard]] const Entry* end() const;

  /// True for the same type and content. Arrays are equal if they have the same keys in the same
  /// order with equal elements (PHP's ===).
  friend bool operator==(const Value& left, const Value& right);

 private:
  struct Array;
  struct DeleteArray {
    void operator()(Array* array) const;
  };
  using ArrayPointer = std::unique_ptr<Array, DeleteArray>;  // never null

  /// One serialized value whose references all point into it.
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
  static Value moved(const Value& element);
  [[nodiscard]] const Value& element(std::int64_t key) const;
  [[nodiscard]] const Value* find(std::int64_t key) const;
  [[nodiscard]] const Value* find(std::string_view key) const;
  Array& becomeArray();

  Data data_;
};

/// A key of an array: an integer or bytes. Bytes that are an int64 in canonical decimal become that
/// integer: "8" and "-5" do; "08", "+8", "-0" and "8.0" stay bytes. An integer beyond int64 becomes
/// the bytes of its decimal text, as in PHP's arrays from JSON.
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
  /// The integer, or 0 if the key is bytes.
  [[nodiscard]] std::int64_t asInt() const { return isInt() ? std::get<0>(data_) : 0; }
  /// The bytes, or an empty view if the key is an integer. Valid as long as the key.
  [[nodiscard]] std::string_view asString() const {
    return isInt() ? std::string_view() : std::string_view(std::get<1>(data_));
  }
  /// The bytes, or the decimal text of an integer.
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
