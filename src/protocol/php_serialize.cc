#include "protocol/php_serialize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocol/decimal.h"
#include "protocol/php_double.h"
#include "protocol/php_scanner.h"

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

/// As Scanner::skipValue, but keeps what it reads.
bool build(Scanner& scanner, std::size_t depthMax, std::size_t& elementsLeft, Value& out) {
  Token token;
  if (!scanner.next(token)) return false;
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
      break;
  }
  if (depthMax == 0 || token.count > elementsLeft) return false;
  elementsLeft -= token.count;
  out = Value::array();
  for (std::size_t i = token.count; i > 0; --i) {
    Token key;
    Value element;
    if (!scanner.nextKey(key) || !build(scanner, depthMax - 1, elementsLeft, element)) return false;
    if (key.type == Token::Type::Int) {
      out.set(key.integer, std::move(element));
    } else {
      out.set(key.text, std::move(element));
    }
  }
  return scanner.endArray();
}

bool isWithin(const Value& value, std::size_t depthMax, std::size_t& elementsLeft) {
  if (!value.isArray()) return true;
  if (depthMax == 0 || value.size() > elementsLeft) return false;
  elementsLeft -= value.size();
  return std::all_of(value.begin(), value.end(), [&](const Value::Entry& entry) {
    return isWithin(entry.value, depthMax - 1, elementsLeft);
  });
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
      serialize(element, out);
    }
    out.push_back('}');
  }
}

std::optional<Value> unserialize(std::string_view in, std::size_t& consumed, const Limits& limits) {
  Scanner scanner(in);
  std::size_t elementsLeft = limits.elementsMax;
  std::optional<Value> value(std::in_place);
  if (!build(scanner, limits.depthMax, elementsLeft, *value)) return std::nullopt;
  consumed = scanner.position();
  return value;
}

std::optional<std::size_t> serializedLength(std::string_view in, const Limits& limits) {
  Scanner scanner(in);
  std::size_t elementsLeft = limits.elementsMax;
  if (!scanner.skipValue(limits.depthMax, elementsLeft)) return std::nullopt;
  return scanner.position();
}

}  // namespace stormo::php
