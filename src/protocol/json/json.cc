#include <stormo/json.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "protocol/json/scanner.h"
#include "protocol/json/text.h"
#include "protocol/php/double.h"
#include "protocol/text/decimal.h"

namespace stormo {
namespace {

using Kind = JsonScanner::Kind;

Value numberIn(std::string_view number) {
  std::int64_t integer = 0;
  const auto read = std::from_chars(number.begin(), number.end(), integer);
  if (read.ec == std::errc() && read.ptr == number.end()) return integer;
  return php::parseDouble(number);
}

/// The result for a malformed text is unspecified; in.done() is false then.
Value build(JsonScanner& in, std::string& buffer) {
  switch (in.next()) {
    case Kind::Object: {
      Value object = Value::object();
      in.object([&](const JsonString& key) {
        Value::Key name(key.text(buffer));
        object.set(std::move(name), build(in, buffer));
      });
      return object;
    }
    case Kind::Array: {
      Value list = Value::list();
      in.array([&] { list.append(build(in, buffer)); });
      return list;
    }
    case Kind::String:
      return in.string().text(buffer);
    case Kind::Number:
      return numberIn(in.number());
    case Kind::True:
      in.skip();
      return true;
    case Kind::False:
      in.skip();
      return false;
    case Kind::Null:
    case Kind::None:
      in.skip();
      return {};
  }
  return {};
}

void appendJson(const Value& value, std::string& out);

void appendArray(const Value& value, std::string& out) {
  const bool isObject = value.isObject();
  out.push_back(isObject ? '{' : '[');
  bool isFirst = true;
  for (const auto& [key, element] : value) {
    if (!std::exchange(isFirst, false)) out.push_back(',');
    if (isObject) {
      appendJsonString(key.text(), out);
      out.push_back(':');
    }
    appendJson(element, out);
  }
  out.push_back(isObject ? '}' : ']');
}

void appendJson(const Value& value, std::string& out) {
  if (value.isBool()) {
    out.append(value.asBool() ? "true" : "false");
  } else if (value.isInt()) {
    appendDecimal(value.asInt(), out);
  } else if (value.isDouble() && std::isfinite(value.asDouble())) {
    php::appendDouble(value.asDouble(), 'e', out);
  } else if (value.isString()) {
    appendJsonString(value.asString(), out);
  } else if (value.isArray()) {
    appendArray(value, out);
  } else {
    out.append("null");
  }
}

}  // namespace

std::optional<Value> parseJson(std::string_view text, const JsonLimits& limits) {
  JsonScanner in(text, limits.depthMax);
  std::string buffer;
  Value value = build(in, buffer);
  if (!in.done()) return std::nullopt;
  return value;
}

std::string toJson(const Value& value) {
  std::string out;
  appendJson(value, out);
  return out;
}

}  // namespace stormo
