#include "protocol/group_command.h"

#include <stormo/json.h>

namespace stormo {
namespace {

constexpr std::size_t kQuotedBytesMax = 64;

// The places of the fields, as the decoder names them.
constexpr std::size_t kCmd = 0;
constexpr std::size_t kGroupId = 1;
constexpr std::size_t kMessage = 2;

}  // namespace

std::string quotable(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return std::string(text);
  std::size_t end = kQuotedBytesMax;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

GroupError readGroupName(JsonFields& fields, std::size_t field, std::string_view fieldName,
                         std::string_view& group, std::string& sentence) {
  const auto fail = [&](GroupError error, std::string_view what) {
    sentence.assign(fieldName).append(what);
    return error;
  };
  if (!fields.has(field)) return fail(GroupError::MissingField, " is missing");
  const auto name = fields.name(field);
  if (!name) {
    return fail(GroupError::WrongType, " must be a string or an integer of 64 bits");
  }
  if (name->empty()) return fail(GroupError::NameEmpty, " must not be empty");
  if (name->size() > kGroupNameBytesMax) {
    return fail(GroupError::NameTooLong, " must not be longer than 255 bytes");
  }
  group = *name;
  return GroupError::None;
}

GroupCommandDecoder::GroupCommandDecoder() : fields_{"cmd", "group_id", "message"} {}

GroupError GroupCommandDecoder::fail(GroupError error, std::string sentence) {
  detail_ = std::move(sentence);
  return error;
}

GroupError GroupCommandDecoder::decode(std::string_view text, GroupRequest& out) {
  detail_.clear();
  switch (fields_.read(text)) {
    case JsonFields::Verdict::Ok:
      break;
    case JsonFields::Verdict::NotJson:
      return fail(GroupError::NotJson, "the message is not valid JSON");
    case JsonFields::Verdict::NotAnObject:
      return fail(GroupError::NotAnObject, "a command is a JSON object");
  }

  if (!fields_.has(kCmd)) return fail(GroupError::MissingField, "cmd is missing");
  const auto cmd = fields_.string(kCmd);
  if (!cmd) return fail(GroupError::WrongType, "cmd must be a string");
  if (*cmd == "send_to_group") {
    out.command = GroupCommand::SendToGroup;
  } else if (*cmd == "add_group") {
    out.command = GroupCommand::AddGroup;
  } else if (*cmd == "leave_group") {
    out.command = GroupCommand::LeaveGroup;
  } else {
    return fail(GroupError::UnknownCommand, "unknown cmd '" + quotable(*cmd) + "'");
  }

  const GroupError error = readGroupName(fields_, kGroupId, "group_id", out.group, detail_);
  if (error != GroupError::None) return error;

  out.message = {};
  if (out.command != GroupCommand::SendToGroup) return GroupError::None;
  if (!fields_.has(kMessage)) return fail(GroupError::MissingField, "message is missing");
  out.message = fields_.text(kMessage);
  return GroupError::None;
}

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
