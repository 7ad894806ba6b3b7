#include "protocol/group_command.h"

#include <simdjson.h>
#include <stormo/json.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "protocol/json_numbers.h"

namespace stormo {
namespace {

constexpr std::size_t kFirstCapacity = 4096;
constexpr std::size_t kQuotedBytesMax = 64;

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

/// The start of `text`, cut between characters of UTF-8 if it is long.
std::string quotable(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return std::string(text);
  std::size_t end = kQuotedBytesMax;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

struct GroupCommandDecoder::State {
  simdjson::dom::parser parser;
  std::unique_ptr<char[]> padded;  ///< `capacity` bytes and simdjson's padding.
  std::size_t capacity = 0;
  char integerName[24];
  std::string messageText;
  std::string detail;

  GroupError fail(GroupError error, std::string sentence) {
    detail = std::move(sentence);
    return error;
  }

  void reserve(std::size_t bytes) {
    if (bytes <= capacity) return;
    capacity = std::max(kFirstCapacity, std::bit_ceil(bytes));
    padded = std::make_unique<char[]>(capacity + simdjson::SIMDJSON_PADDING);
    // The parser grows to the length of the text it sees and no further. White space makes it grow
    // by doubling, so that messages of rising length do not allocate one by one.
    std::memset(padded.get(), ' ', capacity);
    (void)parser.parse(padded.get(), capacity, false).error();
  }

  simdjson::error_code parse(std::string_view text, simdjson::dom::element& root) {
    reserve(text.size());
    std::memcpy(padded.get(), text.data(), text.size());
    std::memset(padded.get() + text.size(), 0, simdjson::SIMDJSON_PADDING);
    // dom and not ondemand: it validates the whole text, and costs a tenth more on our messages.
    const auto error = parser.parse(padded.get(), text.size(), false).get(root);
    if (error != simdjson::NUMBER_ERROR) return error;
    return parser.parse(withBigIntegersAsDoubles(text)).get(root);
  }

  GroupError readGroup(const simdjson::dom::element& value, std::string_view& group) {
    std::uint64_t natural = 0;
    std::int64_t integer = 0;
    if (value.get(group) == simdjson::SUCCESS) {
      if (group.empty()) return fail(GroupError::NameEmpty, "group_id must not be empty");
      if (group.size() > kGroupNameBytesMax) {
        return fail(GroupError::NameTooLong, "group_id must not be longer than 255 bytes");
      }
      return GroupError::None;
    }
    char* end = integerName;
    if (value.get(integer) == simdjson::SUCCESS) {
      end = std::to_chars(integerName, std::end(integerName), integer).ptr;
    } else if (value.get(natural) == simdjson::SUCCESS) {
      end = std::to_chars(integerName, std::end(integerName), natural).ptr;
    } else {
      return fail(GroupError::WrongType, "group_id must be a string or an integer of 64 bits");
    }
    group = std::string_view(integerName, static_cast<std::size_t>(end - integerName));
    return GroupError::None;
  }
};

GroupCommandDecoder::GroupCommandDecoder() : state_(std::make_unique<State>()) {
  state_->reserve(kFirstCapacity);
}
GroupCommandDecoder::~GroupCommandDecoder() = default;
GroupCommandDecoder::GroupCommandDecoder(GroupCommandDecoder&&) noexcept = default;
GroupCommandDecoder& GroupCommandDecoder::operator=(GroupCommandDecoder&&) noexcept = default;

GroupError GroupCommandDecoder::decode(std::string_view text, GroupRequest& out) {
  State& state = *state_;
  state.detail.clear();

  simdjson::dom::element root;
  simdjson::dom::object object;
  if (text.empty() || state.parse(text, root) != simdjson::SUCCESS) {
    return state.fail(GroupError::NotJson, "the message is not valid JSON");
  }
  if (root.get(object) != simdjson::SUCCESS) {
    return state.fail(GroupError::NotAnObject, "a command is a JSON object");
  }

  Field cmd, group, message;
  std::size_t member = 0;
  for (const auto& [key, value] : object) {
    Field* field = key == "cmd"        ? &cmd
                   : key == "group_id" ? &group
                   : key == "message"  ? &message
                                       : nullptr;
    if (field != nullptr) *field = {value, member, true};
    ++member;
  }

  std::string_view name;
  if (!cmd.present) return state.fail(GroupError::MissingField, "cmd is missing");
  if (cmd.value.get(name) != simdjson::SUCCESS) {
    return state.fail(GroupError::WrongType, "cmd must be a string");
  }
  if (name == "send_to_group") {
    out.command = GroupCommand::SendToGroup;
  } else if (name == "add_group") {
    out.command = GroupCommand::AddGroup;
  } else if (name == "leave_group") {
    out.command = GroupCommand::LeaveGroup;
  } else {
    return state.fail(GroupError::UnknownCommand, "unknown cmd '" + quotable(name) + "'");
  }

  if (!group.present) return state.fail(GroupError::MissingField, "group_id is missing");
  if (const GroupError error = state.readGroup(group.value, out.group); error != GroupError::None) {
    return error;
  }

  out.message = {};
  if (out.command != GroupCommand::SendToGroup) return GroupError::None;
  if (!message.present) return state.fail(GroupError::MissingField, "message is missing");
  if (message.value.get(out.message) != simdjson::SUCCESS) {
    state.messageText.clear();
    appendMemberText(text, message.member, state.messageText);
    out.message = state.messageText;
  }
  return GroupError::None;
}

std::string_view GroupCommandDecoder::detail() const { return state_->detail; }

const char* codeName(GroupError error) {
  switch (error) {
    case GroupError::None:
      return "none";
    case GroupError::NotJson:
      return "not_json";
    case GroupError::NotAnObject:
      return "not_an_object";
    case GroupError::MissingField:
      return "missing_field";
    case GroupError::WrongType:
      return "wrong_type";
    case GroupError::UnknownCommand:
      return "unknown_cmd";
    case GroupError::NameEmpty:
      return "name_empty";
    case GroupError::NameTooLong:
      return "name_too_long";
  }
  return "unknown";
}

std::string errorReply(std::string_view code, std::string_view message) {
  return toJson(Value::array({{"cmd", "error"}, {"code", code}, {"message", message}}));
}

}  // namespace stormo
