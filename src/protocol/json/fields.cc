#include "protocol/json/fields.h"

#include <algorithm>
#include <charconv>

namespace stormo {
namespace {

using Kind = JsonScanner::Kind;

template <typename Integer>
std::optional<Integer> integerIn(std::string_view text) {
  Integer integer = 0;
  const auto [end, errc] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (errc != std::errc{} || end != text.data() + text.size()) return {};
  return integer;
}

/// The bit, of 64, for names of that length.
std::uint64_t lengthBit(std::string_view name) { return std::uint64_t{1} << (name.size() % 64); }

/// A valid JSON text without the white space outside of its strings.
std::string_view withoutSpace(std::string_view json, std::string& buffer) {
  buffer.resize(json.size());
  char* to = buffer.data();
  bool inString = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (!inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    *to++ = c;
    if (c == '"') inString = !inString;
    if (c == '\\') *to++ = json[++at];
  }
  buffer.resize(static_cast<std::size_t>(to - buffer.data()));
  return buffer;
}

}  // namespace

JsonFields::JsonFields(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    fields_.push_back({.name = name});
    lengths_ |= lengthBit(name);
  }
}

JsonFields::Verdict JsonFields::read(std::string_view text) {
  for (Field& field : fields_) field.kind = Kind::None;
  JsonScanner in(text);
  const bool isObject = in.next() == Kind::Object;
  if (!isObject) {
    in.skip();
    return in.done() ? Verdict::NotAnObject : Verdict::NotJson;
  }
  in.object([&](const JsonString& key) {
    Field* const field = fieldOf(key);
    if (field == nullptr) {
      in.skip();
      return;
    }
    field->kind = in.next();
    field->written = field->kind == Kind::String ? in.string() : JsonString{in.skip()};
  });
  return in.done() ? Verdict::Ok : Verdict::NotJson;
}

JsonFields::Field* JsonFields::fieldOf(const JsonString& key) {
  if (!key.isEscaped && (lengths_ & lengthBit(key.raw)) == 0) return nullptr;
  const auto field = std::ranges::find(fields_, key.text(key_), &Field::name);
  return field == fields_.end() ? nullptr : &*field;
}

bool JsonFields::has(std::size_t field) const { return fields_[field].kind != Kind::None; }

std::optional<std::string_view> JsonFields::string(std::size_t field) {
  Field& known = fields_[field];
  if (known.kind != Kind::String) return {};
  return known.written.text(known.buffer);
}

std::optional<std::uint64_t> JsonFields::natural(std::size_t field) const {
  const Field& known = fields_[field];
  if (known.kind != Kind::Number) return {};
  return integerIn<std::uint64_t>(known.written.raw);
}

std::optional<std::string_view> JsonFields::name(std::size_t field) {
  const Field& known = fields_[field];
  if (known.kind != Kind::Number) return string(field);
  const std::string_view number = known.written.raw;
  if (number == "-0") return "0";
  if (!integerIn<std::int64_t>(number) && !integerIn<std::uint64_t>(number)) return {};
  return number;
}

std::string_view JsonFields::text(std::size_t field) {
  if (const auto text = string(field)) return *text;
  return withoutSpace(fields_[field].written.raw, fields_[field].buffer);
}

}  // namespace stormo
