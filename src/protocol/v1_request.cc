#include "protocol/v1_request.h"

#include <charconv>

#include "protocol/v1_message.h"

namespace stormo::v1 {
namespace {

// The places of the fields, as the decoder names them.
constexpr std::size_t kId = 0;
constexpr std::size_t kCmd = 1;
constexpr std::size_t kGroup = 2;
constexpr std::size_t kMessage = 3;
constexpr std::size_t kEpoch = 4;
constexpr std::size_t kOffset = 5;
constexpr std::size_t kSession = 6;

constexpr struct {
  std::string_view name;
  Command command;
} kCommands[] = {{"send", Command::Send},
                 {"join", Command::Join},
                 {"leave", Command::Leave},
                 {"ping", Command::Ping},
                 {"session", Command::Session}};

std::optional<std::uint64_t> fromHex(std::string_view digits) {
  std::uint64_t number = 0;
  if (digits.size() != kHexDigits) return {};
  const char* const end = digits.data() + digits.size();
  const auto [stop, errc] = std::from_chars(digits.data(), end, number, 16);
  if (errc != std::errc{} || stop != end) return {};
  return number;
}

}  // namespace

RequestDecoder::RequestDecoder()
    : fields_{"id", "cmd", "group", "message", "epoch", "offset", "session"} {}

GroupError RequestDecoder::fail(GroupError error, std::string sentence) {
  detail_ = std::move(sentence);
  return error;
}

GroupError RequestDecoder::decode(std::string_view text, Request& out) {
  detail_.clear();
  out = {};
  switch (fields_.read(text)) {
    case JsonFields::Verdict::Ok:
      break;
    case JsonFields::Verdict::NotJson:
      return fail(GroupError::NotJson, "the message is not valid JSON");
    case JsonFields::Verdict::NotAnObject:
      return fail(GroupError::NotAnObject, "a request is a JSON object");
  }
  if (!fields_.has(kId)) return fail(GroupError::MissingField, "id is missing");
  const auto id = fields_.natural(kId);
  if (!id || *id == 0 || *id > kIdMax) {
    return fail(GroupError::WrongType, "id must be an integer from 1 to 9007199254740991");
  }
  out.id = *id;
  if (const GroupError error = readCommand(out); error != GroupError::None) return error;

  if (out.command == Command::Ping) return GroupError::None;
  if (out.command == Command::Session) return readSession(out);
  const GroupError error = readGroupName(fields_, kGroup, "group", out.group, detail_);
  if (error != GroupError::None) return error;
  if (out.command == Command::Join) return readSeen(out);
  if (out.command == Command::Send) {
    if (!fields_.has(kMessage)) return fail(GroupError::MissingField, "message is missing");
    out.message = fields_.text(kMessage);
  }
  return GroupError::None;
}

GroupError RequestDecoder::readCommand(Request& out) {
  if (!fields_.has(kCmd)) return fail(GroupError::MissingField, "cmd is missing");
  const auto name = fields_.string(kCmd);
  if (!name) return fail(GroupError::WrongType, "cmd must be a string");
  for (const auto& known : kCommands) {
    if (known.name != *name) continue;
    out.command = known.command;
    return GroupError::None;
  }
  return fail(GroupError::UnknownCommand, "unknown cmd '" + quotable(*name) + "'");
}

GroupError RequestDecoder::readSeen(Request& out) {
  if (!fields_.has(kEpoch) && !fields_.has(kOffset)) return GroupError::None;
  if (!fields_.has(kEpoch) || !fields_.has(kOffset)) {
    return fail(GroupError::MissingField, "epoch and offset are given together, or not at all");
  }
  const auto epoch = fromHex(fields_.string(kEpoch).value_or(""));
  if (!epoch) return fail(GroupError::WrongType, "epoch must be a string of 16 hexadecimal digits");
  const auto offset = fields_.natural(kOffset);
  if (!offset) return fail(GroupError::WrongType, "offset must be an integer from 0 on");
  out.seen = {*epoch, *offset};
  return GroupError::None;
}

GroupError RequestDecoder::readSession(Request& out) {
  if (!fields_.has(kSession)) return fail(GroupError::MissingField, "session is missing");
  out.session = fromHex(fields_.string(kSession).value_or("")).value_or(0);
  if (out.session != 0) return GroupError::None;
  return fail(GroupError::WrongType,
              "session must be a string of 16 hexadecimal digits, not all zero");
}

}  // namespace stormo::v1
