#include "protocol/json_fields.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "protocol/json_numbers.h"

namespace stormo {
namespace {

constexpr std::size_t kFirstCapacity = 4096;

/// A field of the object as it stands last in the text.
struct Field {
  simdjson::dom::element value;
  std::size_t member = 0;  ///< Its number among the members of the object.
  bool present = false;
};

/// Appends the value of member number `member` of a valid JSON object as it is written there, but
/// without white space.
void appendMemberText(std::string_view object, std::size_t member, std::string& out) {
  std::size_t depth = 0;
  bool inString = false;
  bool inValue = false;
  for (std::size_t at = 0; at < object.size(); ++at) {
    const char c = object[at];
    if (inString) {
      if (inValue) out.push_back(c);
      if (c == '\\' && inValue) out.push_back(object[at + 1]);
      if (c == '\\') ++at;
      if (c == '"') inString = false;
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if (depth == 1 && (c == ',' || c == '}')) {
      if (inValue) return;
      --member;
    }
    if (inValue) out.push_back(c);
    if (c == '"') inString = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ':' && depth == 1 && member == 0) inValue = true;
  }
}

}  // namespace

struct JsonFields::State {
  std::vector<std::string_view> names;
  std::vector<Field> fields;
  std::string_view whole;
  simdjson::dom::parser parser;
  std::unique_ptr<char[]> padded;  ///< `capacity` bytes and simdjson's padding.
  std::size_t capacity = 0;
  char integer[24];
  std::string memberText;

  void reserve(std::size_t bytes) {
    if (bytes <= capacity) return;
    capacity = std::max(kFirstCapacity, std::bit_ceil(bytes));
    padded = std::make_unique<char[]>(capacity + simdjson::SIMDJSON_PADDING);
    // The parser grows to the length of the text it sees and no further. White space makes it grow
    // by doubling, so that messages of rising length do not allocate one by one.
    std::memset(padded.get(), ' ', capacity);
    (void)parser.parse(padded.get(), capacity, false).error();
  }

  simdjson::error_code parse(simdjson::dom::element& root) {
    reserve(whole.size());
    std::memcpy(padded.get(), whole.data(), whole.size());
    std::memset(padded.get() + whole.size(), 0, simdjson::SIMDJSON_PADDING);
    // dom and not ondemand: it validates the whole text, and costs a tenth more on our messages.
    const auto error = parser.parse(padded.get(), whole.size(), false).get(root);
    if (error != simdjson::NUMBER_ERROR) return error;
    return parser.parse(withBigIntegersAsDoubles(whole)).get(root);
  }
};

JsonFields::JsonFields(std::initializer_list<std::string_view> names)
    : state_(std::make_unique<State>()) {
  state_->names = names;
  state_->fields.resize(names.size());
  state_->reserve(kFirstCapacity);
}
JsonFields::~JsonFields() = default;
JsonFields::JsonFields(JsonFields&&) noexcept = default;
JsonFields& JsonFields::operator=(JsonFields&&) noexcept = default;

JsonFields::Verdict JsonFields::read(std::string_view text) {
  State& state = *state_;
  state.whole = text;
  for (Field& field : state.fields) field.present = false;

  simdjson::dom::element root;
  simdjson::dom::object object;
  if (text.empty() || state.parse(root) != simdjson::SUCCESS) return Verdict::NotJson;
  if (root.get(object) != simdjson::SUCCESS) return Verdict::NotAnObject;
  std::size_t member = 0;
  for (const auto& [key, value] : object) {
    const auto name = std::ranges::find(state.names, key);
    if (name != state.names.end()) {
      state.fields[static_cast<std::size_t>(name - state.names.begin())] = {value, member, true};
    }
    ++member;
  }
  return Verdict::Ok;
}

bool JsonFields::has(std::size_t field) const { return state_->fields[field].present; }

std::optional<std::string_view> JsonFields::string(std::size_t field) const {
  std::string_view string;
  if (!has(field) || state_->fields[field].value.get(string) != simdjson::SUCCESS) return {};
  return string;
}

std::optional<std::uint64_t> JsonFields::natural(std::size_t field) const {
  std::uint64_t natural = 0;
  if (!has(field) || state_->fields[field].value.get(natural) != simdjson::SUCCESS) return {};
  return natural;
}

std::optional<std::string_view> JsonFields::name(std::size_t field) {
  if (const auto text = string(field)) return text;
  if (!has(field)) return {};
  const auto written = [&](auto number) {
    const char* end = std::to_chars(state_->integer, std::end(state_->integer), number).ptr;
    return std::string_view(state_->integer, static_cast<std::size_t>(end - state_->integer));
  };
  std::int64_t integer = 0;
  if (state_->fields[field].value.get(integer) == simdjson::SUCCESS) return written(integer);
  if (const auto large = natural(field)) return written(*large);
  return {};
}

std::string_view JsonFields::text(std::size_t field) {
  if (const auto text = string(field)) return *text;
  state_->memberText.clear();
  appendMemberText(state_->whole, state_->fields[field].member, state_->memberText);
  return state_->memberText;
}

}  // namespace stormo
