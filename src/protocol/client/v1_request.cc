#include "protocol/client/v1_request.h"

#include <charconv>
#include <utility>

#include "protocol/client/v1_message.h"

namespace stormo::v1 {
namespace {

// The indexes of the fields in the reader's names.
constexpr std::size_t kId = 0;
constexpr std::size_t kCmd = 1;
constexpr std::size_t kGroup = 2;
constexpr std::size_t kMessage = 3;
constexpr std::size_t kEpoch = 4;
constexpr std::size_t kOffset = 5;
constexpr std::size_t kSession = 6;
constexpr std::size_t kToken = 7;
constexpr std::size_t kTo = 8;

constexpr std::pair<std::string_view, Command> kCommands[] = {
    {"send", Command::Send},    {"join", Command::Join},       {"leave", Command::Leave},
    {"ping", Command::Ping},    {"session", Command::Session}, {"refresh", Command::Refresh},
    {"whoami", Command::WhoAmI}};

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
    : reader_{"id",     "cmd",     "group", "message", "epoch",
              "offset", "session", "token", "to",      "type"} {}

CommandError RequestDecoder::decode(std::string_view text, Request& out) {
  out = {};
  CommandError error = reader_.read(text);
  out.pong = reader_.heartbeatReply();
  if (!out.pong.empty()) return CommandError::None;
  if (error == CommandError::None) error = readId(out);
  if (error == CommandError::None) error = reader_.readCommand(kCmd, kCommands, out.command);
  if (error != CommandError::None) return error;
  switch (out.command) {
    case Command::Ping:
    case Command::WhoAmI:
      return CommandError::None;
    case Command::Session:
      return readSession(out);
    case Command::Refresh:
      return reader_.readString(kToken, out.token);
    case Command::Join:
      error = readTarget(out);
      return error == CommandError::None ? readSeen(out) : error;
    case Command::Leave:
      return readTarget(out);
    case Command::Send:
      error = reader_.readGroup(kGroup, out.group);
      if (error == CommandError::None) error = reader_.require(kMessage);
      if (error == CommandError::None) out.message = reader_.fields().text(kMessage);
      return error;
  }
  return CommandError::None;
}

CommandError RequestDecoder::readId(Request& out) {
  if (const auto error = reader_.require(kId); error != CommandError::None) return error;
  const auto id = reader_.fields().natural(kId);
  if (!id || *id == 0 || *id > kIdMax) {
    return reader_.fail(CommandError::WrongType, kId,
                        "must be an integer from 1 to 9007199254740991");
  }
  out.id = *id;
  return CommandError::None;
}

CommandError RequestDecoder::readTarget(Request& out) {
  JsonFields& fields = reader_.fields();
  if (!fields.has(kTo)) return reader_.readGroup(kGroup, out.group);
  if (fields.has(kGroup)) {
    return reader_.fail(CommandError::WrongType, "group and to are not given together");
  }
  const std::string_view to = fields.string(kTo).value_or("");
  if (to == "user") {
    out.to = To::User;
  } else if (to == "all") {
    out.to = To::Everybody;
  } else {
    return reader_.fail(CommandError::WrongType, kTo, "must be \"user\" or \"all\"");
  }
  return CommandError::None;
}

CommandError RequestDecoder::readSeen(Request& out) {
  JsonFields& fields = reader_.fields();
  if (!fields.has(kEpoch) && !fields.has(kOffset)) return CommandError::None;
  if (!fields.has(kEpoch) || !fields.has(kOffset)) {
    return reader_.fail(CommandError::MissingField,
                        "epoch and offset are given together, or not at all");
  }
  const auto epoch = fromHex(fields.string(kEpoch).value_or(""));
  if (!epoch) {
    return reader_.fail(CommandError::WrongType, kEpoch,
                        "must be a string of 16 hexadecimal digits");
  }
  const auto offset = fields.natural(kOffset);
  if (!offset) {
    return reader_.fail(CommandError::WrongType, kOffset, "must be an integer from 0 on");
  }
  out.seen = {*epoch, *offset};
  return CommandError::None;
}

CommandError RequestDecoder::readSession(Request& out) {
  if (const auto error = reader_.require(kSession); error != CommandError::None) return error;
  out.session = fromHex(reader_.fields().string(kSession).value_or("")).value_or(0);
  if (out.session != 0) return CommandError::None;
  return reader_.fail(CommandError::WrongType, kSession,
                      "must be a string of 16 hexadecimal digits, not all zero");
}

}  // namespace stormo::v1
