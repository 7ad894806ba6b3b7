#include <simdjson.h>
#include <stormo/json.h>

#include <algorithm>
#include <cmath>

#include "protocol/decimal.h"
#include "protocol/json_numbers.h"
#include "protocol/json_text.h"
#include "protocol/php_double.h"

namespace stormo {
namespace {

Value build(const simdjson::dom::element& element) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::ARRAY: {
      Value list = Value::list();
      for (const auto& item : simdjson::dom::array(element)) list.append(build(item));
      return list;
    }
    case Type::OBJECT: {
      Value array = Value::array();
      for (const auto& [key, item] : simdjson::dom::object(element)) array.set(key, build(item));
      return array;
    }
    case Type::INT64:
      return std::int64_t(element);
    case Type::UINT64:
      return std::uint64_t(element);
    case Type::DOUBLE:
      return double(element);
    case Type::STRING:
      return std::string_view(element);
    case Type::BOOL:
      return bool(element);
    case Type::NULL_VALUE:
      return {};
  }
  return {};
}

void appendJson(const Value& value, std::string& out);

void appendArray(const Value& value, std::string& out) {
  const bool isList = value.isList();
  char before = isList ? '[' : '{';
  for (const auto& [key, element] : value) {
    out.push_back(before);
    before = ',';
    if (!isList) {
      appendJsonString(key.text(), out);
      out.push_back(':');
    }
    appendJson(element, out);
  }
  if (value.size() == 0) out.push_back('[');
  out.push_back(isList ? ']' : '}');
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
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), limits.depthMax)) return std::nullopt;
  auto error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    error = parser.parse(withBigIntegersAsDoubles(text)).get(root);
  }
  if (error) return std::nullopt;
  return build(root);
}

std::string toJson(const Value& value) {
  std::string out;
  appendJson(value, out);
  return out;
}

}  // namespace stormo
