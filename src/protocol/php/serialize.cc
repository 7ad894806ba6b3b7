#include "protocol/php/serialize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocol/php/double.h"
#include "protocol/php/scanner.h"
#include "protocol/text/decimal.h"

namespace stormo::php {
namespace {

void appendInt(std::int64_t value, std::string& out) {
  out.append("i:");
  appendDecimal(value, out);
  out.push_back(';');
}

void appendAnyDouble(double value, std::string& out) {
  out.append("d:");
  if (std::isnan(value)) {
    out.append("NAN");
  } else if (std::isinf(value)) {
    out.append(value < 0 ? "-INF" : "INF");
  } else {
    appendDouble(value, 'E', out);
  }
  out.push_back(';');
}

double readAnyDouble(std::string_view text) {
  if (text == "NAN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "INF") return std::numeric_limits<double>::infinity();
  if (text == "-INF") return -std::numeric_limits<double>::infinity();
  return parseDouble(text);
}

/// Scans a complete value that was read before.
Scanner scanned(std::string_view serialized) {
  Scanner scanner(serialized);
  std::size_t elementsLeft = serialized.size();
  static_cast<void>(scanner.skipValue(serialized.size(), elementsLeft));
  return scanner;
}

bool isWithin(const Value& value, std::size_t depthMax, std::size_t& elementsLeft) {
  if (value.isOpaque()) return Scanner(value.asSerialized()).skipValue(depthMax, elementsLeft);
  if (!value.isArray()) return true;
  if (depthMax == 0 || value.size() > elementsLeft) return false;
  elementsLeft -= value.size();
  return std::all_of(value.begin(), value.end(), [&](const Value::Entry& entry) {
    return isWithin(entry.value, depthMax - 1, elementsLeft);
  });
}

/// `values`: the number of values in `out`, as references count.
void write(const Value& value, std::size_t& values, std::string& out) {
  if (value.isOpaque()) {
    appendPart(value.asSerialized(), values, out);
    values += scanned(value.asSerialized()).mark().values;
    return;
  }
  ++values;
  if (value.isNull()) {
    out.append("N;");
  } else if (value.isBool()) {
    out.append(value.asBool() ? "b:1;" : "b:0;");
  } else if (value.isInt()) {
    appendInt(value.asInt(), out);
  } else if (value.isDouble()) {
    appendAnyDouble(value.asDouble(), out);
  } else if (value.isString()) {
    serializeString(value.asString(), out);
  } else {
    out.append("a:");
    appendDecimal(value.size(), out);
    out.append(":{");
    for (const auto& [key, element] : value) {
      if (key.isInt()) {
        appendInt(key.asInt(), out);
      } else {
        serializeString(key.asString(), out);
      }
      write(element, values, out);
    }
    out.push_back('}');
  }
}

}  // namespace

bool isWithin(const Value& value, const Limits& limits) {
  std::size_t elementsLeft = limits.elementsMax;
  return isWithin(value, limits.depthMax, elementsLeft);
}

void serializeString(std::string_view bytes, std::string& out) {
  out.append("s:");
  appendDecimal(bytes.size(), out);
  out.append(":\"").append(bytes).append("\";");
}

void serialize(const Value& value, std::string& out) {
  std::size_t values = 0;
  write(value, values, out);
}

void appendPart(std::string_view serialized, std::size_t valuesBefore, std::string& out) {
  // A reference is always the value of a key. Most values hold none and need no scan.
  const auto holds = [&](std::string_view text) { return serialized.find(text) != text.npos; };
  if (!holds(";r:") && !holds(";R:")) {
    out.append(serialized);
    return;
  }
  const Scanner scanner = scanned(serialized);
  appendRenumbered(serialized, 0, scanner.referencesSince({}), 0, valuesBefore, out);
}

/// As Scanner::skipValue(), but builds the value.
class ValueBuilder {
 public:
  ValueBuilder(std::string_view in, const Limits& limits)
      : scanner_(in), elementsLeft_(limits.elementsMax), depthMax_(limits.depthMax) {}

  bool build(Value& out) {
    if (!build(depthMax_, out)) return false;
    const bool hasReferences = !scanner_.referencesSince({}).empty();
    if (isEntangled_ || (scanner_.hasCustom() && hasReferences)) out = opaqueSince({});
    return true;
  }
  [[nodiscard]] std::size_t position() const { return scanner_.position(); }

 private:
  bool build(std::size_t depthMax, Value& out);
  bool buildArray(const Token& start, std::size_t depthMax, Value& out);
  [[nodiscard]] Value opaqueSince(const Scanner::Mark& start) const;

  Scanner scanner_;
  std::size_t elementsLeft_;
  const std::size_t depthMax_;
  bool isEntangled_ = false;  // its parts refer to one another
};

Value ValueBuilder::opaqueSince(const Scanner::Mark& start) const {
  Value::Opaque opaque;
  appendRenumbered(scanner_.since(start.position), start.position, scanner_.referencesSince(start),
                   start.values, 0, opaque.serialized);
  Value value;
  value.data_ = std::move(opaque);
  return value;
}

bool ValueBuilder::build(std::size_t depthMax, Value& out) {
  const Scanner::Mark start = scanner_.mark();
  Token token;
  if (!scanner_.next(token)) return false;
  switch (token.type) {
    case Token::Type::Null:
      return true;
    case Token::Type::Bool:
      out = token.boolean;
      return true;
    case Token::Type::Int:
      out = token.integer;
      return true;
    case Token::Type::Double:
      out = readAnyDouble(token.text);
      return true;
    case Token::Type::String:
      out = token.text;
      return true;
    case Token::Type::ArrayStart:
      return buildArray(token, depthMax, out);
    case Token::Type::Reference:
      isEntangled_ = true;
      return true;
    case Token::Type::ObjectStart:
    case Token::Type::Custom:
    case Token::Type::Enum:
      if (!scanner_.skipRest(token, depthMax, elementsLeft_)) return false;
      if (scanner_.standsAlone(start)) {
        out = opaqueSince(start);
      } else {
        isEntangled_ = true;
      }
      return true;
  }
  return false;
}

bool ValueBuilder::buildArray(const Token& start, std::size_t depthMax, Value& out) {
  if (depthMax == 0 || start.count > elementsLeft_) return false;
  elementsLeft_ -= start.count;
  out = Value::array();
  for (std::size_t i = start.count; i > 0; --i) {
    Token key;
    Value element;
    if (!scanner_.nextKey(key) || !build(depthMax - 1, element)) return false;
    if (key.type == Token::Type::Int) {
      out.set(key.integer, std::move(element));
    } else {
      out.set(key.text, std::move(element));
    }
  }
  return scanner_.endArray();
}

std::optional<Value> unserialize(std::string_view in, std::size_t& consumed, const Limits& limits) {
  ValueBuilder builder(in, limits);
  std::optional<Value> value(std::in_place);
  if (!builder.build(*value)) return std::nullopt;
  consumed = builder.position();
  return value;
}

std::optional<std::size_t> serializedLength(std::string_view in, const Limits& limits) {
  Scanner scanner(in);
  std::size_t elementsLeft = limits.elementsMax;
  if (!scanner.skipValue(limits.depthMax, elementsLeft)) return std::nullopt;
  return scanner.position();
}

}  // namespace stormo::php
