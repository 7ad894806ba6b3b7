#include <stormo/value.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

#include "protocol/php/double.h"
#include "protocol/seeded_hash_index.h"
#include "protocol/text/decimal.h"

namespace stormo {
namespace {

/// Up to this number of entries, a linear search is as fast as an index.
constexpr std::size_t kUnindexedMax = 16;

/// The integer whose canonical decimal text is `text`.
std::optional<std::int64_t> canonicalInteger(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  if (digits.front() == '0' && text.size() > 1) return std::nullopt;  // "08", "-0", "-08"
  std::int64_t value = 0;
  const auto read = std::from_chars(text.begin(), text.end(), value);
  if (read.ec != std::errc() || read.ptr != text.end()) return std::nullopt;
  return value;
}

}  // namespace

// The entries of an array, with an index of their keys.
struct Value::Array {
  std::vector<Entry> entries;
  std::int64_t nextIndex = 0;
  bool nextIndexTaken = false;  // the largest int64 was a key: there is no next one
  bool list = true;             // keys are 0 to n - 1 in order: they need no index
  bool object = false;          // JSON has it as {}
  SeededHashIndex index;        // of all entries, or empty

  std::size_t find(std::int64_t key) const {
    if (list) {
      return key >= 0 && std::cmp_less(key, entries.size()) ? static_cast<std::size_t>(key)
                                                            : SeededHashIndex::kNone;
    }
    const auto isIt = [&](std::size_t at) {
      return entries[at].key.isInt() && entries[at].key.asInt() == key;
    };
    return index.empty() ? look(isIt) : index.find(SeededHashIndex::hash(key), isIt);
  }

  std::size_t find(std::string_view key) const {
    if (list) return SeededHashIndex::kNone;
    const auto isIt = [&](std::size_t at) {
      return entries[at].key.isString() && entries[at].key.asString() == key;
    };
    return index.empty() ? look(isIt) : index.find(SeededHashIndex::hash(key), isIt);
  }

  std::size_t find(const Key& key) const {
    return key.isInt() ? find(key.asInt()) : find(key.asString());
  }

  template <typename IsIt>
  std::size_t look(IsIt isIt) const {
    for (std::size_t at = 0; at < entries.size(); ++at) {
      if (isIt(at)) return at;
    }
    return SeededHashIndex::kNone;
  }

  // The key must not exist yet.
  Value& add(Key key, Value value) {
    const std::size_t at = entries.size();
    if (key.isInt() && key.asInt() >= nextIndex) {
      nextIndexTaken = key.asInt() == std::numeric_limits<std::int64_t>::max();
      nextIndex = nextIndexTaken ? key.asInt() : key.asInt() + 1;
    }
    list = list && key.isInt() && std::cmp_equal(key.asInt(), at);
    entries.push_back({std::move(key), std::move(value)});
    // The first entry that needs the index brings in all before it.
    if (!list && entries.size() > kUnindexedMax) indexFrom(index.empty() ? 0 : at);
    return entries.back().value;
  }

  void erase(std::size_t position) {
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(position));
    list = true;
    for (std::size_t i = 0; list && i < entries.size(); ++i) {
      list = entries[i].key.isInt() && std::cmp_equal(entries[i].key.asInt(), i);
    }
    index = {};
    if (!list && entries.size() > kUnindexedMax) indexFrom(0);
  }

  void indexFrom(std::size_t position) {
    for (; position < entries.size(); ++position) {
      const Key& key = entries[position].key;
      index.insert(
          key.isInt() ? SeededHashIndex::hash(key.asInt()) : SeededHashIndex::hash(key.asString()),
          position);
    }
  }
};

void Value::DeleteArray::operator()(Array* array) const { delete array; }

Value::Key::Key(std::string_view key) {
  if (const auto integer = canonicalInteger(key)) {
    data_ = *integer;
  } else {
    data_ = std::string(key);
  }
}

std::string Value::Key::text() const {
  return isInt() ? std::to_string(asInt()) : std::string(asString());
}

Value::Value(const Value& other) {
  if (const auto* array = std::get_if<ArrayPointer>(&other.data_)) {
    data_ = ArrayPointer(new Array(**array));
  } else if (const auto* string = std::get_if<std::string>(&other.data_)) {
    data_ = *string;
  } else if (const auto* opaque = std::get_if<Opaque>(&other.data_)) {
    data_ = *opaque;
  } else if (other.isBool()) {
    data_ = other.asBool();
  } else if (other.isInt()) {
    data_ = other.asInt();
  } else if (other.isDouble()) {
    data_ = other.asDouble();
  }
}

Value::Value(Value&& other) noexcept : data_(std::exchange(other.data_, {})) {}

Value& Value::operator=(Value&& other) noexcept {
  data_ = std::exchange(other.data_, {});
  return *this;
}

Value::~Value() = default;

Value& Value::operator=(const Value& other) {
  return *this = Value(other);  // `other` may be an element of this
}

Value Value::array(std::initializer_list<Entry> entries) {
  Value value;
  value.becomeArray().entries.reserve(entries.size());
  for (const Entry& entry : entries) value.set(entry.key, entry.value);
  return value;
}

Value Value::object(std::initializer_list<Entry> entries) {
  Value value = array(entries);
  value.becomeArray().object = true;
  return value;
}

Value Value::list(std::initializer_list<Value> values) {
  Value value;
  value.becomeArray().entries.reserve(values.size());
  for (const Value& element : values) value.append(element);
  return value;
}

bool Value::isList() const {
  const auto* array = std::get_if<ArrayPointer>(&data_);
  return array != nullptr && (*array)->list;
}

bool Value::isObject() const {
  const auto* array = std::get_if<ArrayPointer>(&data_);
  return array != nullptr && ((*array)->object || !(*array)->list);
}

bool Value::asBool(bool otherwise) const {
  const bool* value = std::get_if<bool>(&data_);
  return value != nullptr ? *value : otherwise;
}

std::int64_t Value::asInt(std::int64_t otherwise) const {
  const std::int64_t* value = std::get_if<std::int64_t>(&data_);
  return value != nullptr ? *value : otherwise;
}

double Value::asDouble(double otherwise) const {
  if (isInt()) return static_cast<double>(asInt());
  const double* value = std::get_if<double>(&data_);
  return value != nullptr ? *value : otherwise;
}

std::string_view Value::asString() const& {
  const std::string* value = std::get_if<std::string>(&data_);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

std::string Value::asString() && {
  std::string* value = std::get_if<std::string>(&data_);
  return value != nullptr ? std::move(*value) : std::string();
}

std::string_view Value::asSerialized() const& {
  const Opaque* opaque = std::get_if<Opaque>(&data_);
  return opaque != nullptr ? std::string_view(opaque->serialized) : std::string_view();
}

std::string Value::asSerialized() && { return std::string(std::as_const(*this).asSerialized()); }

std::string Value::text(std::string_view otherwise) const {
  std::string out;
  if (isInt()) {
    appendDecimal(asInt(), out);
  } else if (isDouble() && std::isfinite(asDouble())) {
    php::appendDouble(asDouble(), 'e', out);
  } else {
    out = isString() ? asString() : otherwise;
  }
  return out;
}

const Value& Value::null() {
  static const Value kValue;
  return kValue;
}

const Value* Value::find(std::int64_t key) const {
  const auto* array = std::get_if<ArrayPointer>(&data_);
  if (array == nullptr) return nullptr;
  const std::size_t at = (*array)->find(key);
  return at == SeededHashIndex::kNone ? nullptr : &(*array)->entries[at].value;
}

const Value* Value::find(std::string_view key) const {
  if (const auto integer = canonicalInteger(key)) return find(*integer);
  const auto* array = std::get_if<ArrayPointer>(&data_);
  if (array == nullptr) return nullptr;
  const std::size_t at = (*array)->find(key);
  return at == SeededHashIndex::kNone ? nullptr : &(*array)->entries[at].value;
}

const Value& Value::element(std::int64_t key) const {
  const Value* element = find(key);
  return element != nullptr ? *element : null();
}

const Value& Value::operator[](std::string_view key) const& {
  const Value* element = find(key);
  return element != nullptr ? *element : null();
}

Value Value::operator[](std::string_view key) && { return moved((*this)[key]); }

/// Out of a temporary Value, or a copy of the null that all share.
Value Value::moved(const Value& element) {
  if (element.isNull()) return {};
  return std::move(const_cast<Value&>(element));
}

bool Value::contains(std::string_view key) const { return find(key) != nullptr; }

std::size_t Value::size() const { return static_cast<std::size_t>(end() - begin()); }

Value::Array& Value::becomeArray() {
  if (isNull()) data_ = ArrayPointer(new Array());
  auto* array = std::get_if<ArrayPointer>(&data_);
  if (array == nullptr) throw std::logic_error("stormo::Value: this is not an array");
  return **array;
}

Value& Value::set(Key key, Value value) {
  Array& array = becomeArray();
  // An integer above all others is a new key: a list grows without a search.
  const bool isNew = key.isInt() && key.asInt() >= array.nextIndex && !array.nextIndexTaken;
  const std::size_t at = isNew ? SeededHashIndex::kNone : array.find(key);
  if (at == SeededHashIndex::kNone) {
    array.add(std::move(key), std::move(value));
  } else {
    array.entries[at].value = std::move(value);
  }
  return *this;
}

Value& Value::at(Key key) & {
  Array& array = becomeArray();
  const std::size_t at = array.find(key);
  return at == SeededHashIndex::kNone ? array.add(std::move(key), {}) : array.entries[at].value;
}

bool Value::erase(const Key& key) {
  auto* array = std::get_if<ArrayPointer>(&data_);
  if (array == nullptr) return false;
  const std::size_t at = (*array)->find(key);
  if (at == SeededHashIndex::kNone) return false;
  (*array)->erase(at);
  return true;
}

Value& Value::append(Value value) {
  Array& array = becomeArray();
  if (array.nextIndexTaken) throw std::length_error("stormo::Value: no key is left to append at");
  array.add(array.nextIndex, std::move(value));
  return *this;
}

const Value::Entry* Value::begin() const {
  const auto* array = std::get_if<ArrayPointer>(&data_);
  return array != nullptr ? (*array)->entries.data() : nullptr;
}

const Value::Entry* Value::end() const {
  const auto* array = std::get_if<ArrayPointer>(&data_);
  return array != nullptr ? (*array)->entries.data() + (*array)->entries.size() : nullptr;
}

bool operator==(const Value& left, const Value& right) {
  if (left.data_.index() != right.data_.index()) return false;
  if (!left.isArray()) return left.data_ == right.data_;
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Value::Entry& a, const Value::Entry& b) {
                      return a.key == b.key && a.value == b.value;
                    });
}

}  // namespace stormo
