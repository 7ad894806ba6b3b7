#include <simdjson.h>
#include <stormo/json.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "protocol/json_numbers.h"
#include "protocol/json_text.h"
#include "protocol/php_double.h"
#include "protocol/utf8.h"

namespace stormo {
namespace {

constexpr std::size_t kNestingMax = 512;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

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

/// How many bytes at the front of `text`, which starts above ASCII, belong together: the first and
/// what may continue it. They need not be a valid sequence.
std::size_t sequenceBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t wanted = first < 0xc2   ? 1
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 1;
  std::size_t bytes = 1;
  while (bytes < wanted && bytes < text.size() && (text[bytes] & 0xc0) == 0x80) ++bytes;
  return bytes;
}

void appendAsciiEscaped(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  if (const std::size_t at = kNamed.find(c); at != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kNames[at]);
  } else if (c >= 0 && c < 0x20) {
    out.append("\\u00");
    out.push_back(kHex[static_cast<std::size_t>(c) >> 4]);
    out.push_back(kHex[static_cast<std::size_t>(c) & 15]);
  } else {
    out.push_back(c);
  }
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
    char text[24];
    const auto written = std::to_chars(text, std::end(text), value.asInt());
    out.append(text, static_cast<std::size_t>(written.ptr - text));
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

void appendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    if ((text[0] & 0x80) == 0) {
      appendAsciiEscaped(text[0], out);
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, sequenceBytes(text));
    // PHP escapes the two line ends that JavaScript once did not take in a string.
    if (sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9") {
      out.append(sequence.back() == '\xa8' ? "\\u2028" : "\\u2029");
    } else {
      out.append(isUtf8(sequence) ? sequence : kReplacement);
    }
    text.remove_prefix(sequence.size());
  }
  out.push_back('"');
}

std::optional<Value> parseJson(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), kNestingMax)) return std::nullopt;
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
