#include "protocol/client/command_reader.h"

#include <stormo/audience.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/text/utf8.h"

namespace stormo {
namespace {

constexpr std::size_t kQuotedBytesMax = 64;

/// The start of a client's text, for an error message.
std::string quotable(std::string_view text) {
  std::string quoted(cutBetweenCharacters(text, kQuotedBytesMax));
  if (quoted.size() < text.size()) quoted += "...";
  return quoted;
}

}  // namespace

CommandReader::CommandReader(std::initializer_list<std::string_view> names)
    : names_(names), fields_(names), cmd_(placeOf("cmd")), type_(placeOf("type")) {}

std::size_t CommandReader::placeOf(std::string_view name) const {
  const auto known = std::ranges::find(names_, name);
  STORMO_ASSERT(known != names_.end());
  return static_cast<std::size_t>(known - names_.begin());
}

CommandError CommandReader::read(std::string_view text) {
  detail_.clear();
  heartbeatReply_ = {};
  switch (fields_.read(text)) {
    case JsonFields::Verdict::Ok:
      if (!fields_.has(cmd_) && fields_.string(type_) == "ping") {
        heartbeatReply_ = R"({"type":"pong"})";
      }
      return CommandError::None;
    case JsonFields::Verdict::NotJson:
      if (text == "ping") {
        heartbeatReply_ = "pong";
        return CommandError::None;
      }
      return fail(CommandError::NotJson, "the message is not valid JSON");
    case JsonFields::Verdict::NotAnObject:
      return fail(CommandError::NotAnObject, "a command is a JSON object");
  }
  return CommandError::None;
}

CommandError CommandReader::require(std::size_t field) {
  if (fields_.has(field)) return CommandError::None;
  return fail(CommandError::MissingField, field, "is missing");
}

CommandError CommandReader::readString(std::size_t field, std::string_view& string) {
  if (const auto error = require(field); error != CommandError::None) return error;
  const auto value = fields_.string(field);
  if (!value) return fail(CommandError::WrongType, field, "must be a string");
  string = *value;
  return CommandError::None;
}

CommandError CommandReader::readGroup(std::size_t field, std::string_view& group) {
  if (const auto error = require(field); error != CommandError::None) return error;
  const auto name = fields_.name(field);
  if (!name) {
    return fail(CommandError::WrongType, field, "must be a string or an integer of 64 bits");
  }
  if (name->empty()) return fail(CommandError::NameEmpty, field, "must not be empty");
  if (name->size() > kGroupNameBytesMax) {
    return fail(CommandError::NameTooLong, field, "must not be longer than 255 bytes");
  }
  if (isReservedName(*name)) {
    return fail(CommandError::NameReserved, field, "must not begin with a zero byte");
  }
  group = *name;
  return CommandError::None;
}

CommandError CommandReader::unknown(std::size_t field, std::string_view name) {
  detail_ = "unknown " + std::string(names_[field]) + " '" + quotable(name) + "'";
  return CommandError::UnknownCommand;
}

CommandError CommandReader::fail(CommandError error, std::size_t field, std::string_view what) {
  detail_.assign(names_[field]).append(" ").append(what);
  return error;
}

CommandError CommandReader::fail(CommandError error, std::string_view sentence) {
  detail_ = sentence;
  return error;
}

const char* codeName(CommandError error) {
  switch (error) {
    case CommandError::None:
      return "none";
    case CommandError::NotJson:
      return "not_json";
    case CommandError::NotAnObject:
      return "not_an_object";
    case CommandError::MissingField:
      return "missing_field";
    case CommandError::WrongType:
      return "wrong_type";
    case CommandError::UnknownCommand:
      return "unknown_cmd";
    case CommandError::NameEmpty:
      return "name_empty";
    case CommandError::NameTooLong:
      return "name_too_long";
    case CommandError::NameReserved:
      return "name_reserved";
  }
  return "unknown";
}

}  // namespace stormo
