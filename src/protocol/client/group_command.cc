#include "protocol/client/group_command.h"

#include <stormo/json.h>

#include <utility>

namespace stormo {
namespace {

// The indexes of the fields in the reader's names.
constexpr std::size_t kCmd = 0;
constexpr std::size_t kGroupId = 1;
constexpr std::size_t kMessage = 2;
constexpr std::size_t kToken = 3;

constexpr std::pair<std::string_view, GroupCommand> kCommands[] = {
    {"send_to_group", GroupCommand::SendToGroup}, {"add_group", GroupCommand::AddGroup},
    {"leave_group", GroupCommand::LeaveGroup},    {"ping", GroupCommand::Ping},
    {"refresh", GroupCommand::Refresh},           {"whoami", GroupCommand::WhoAmI},
};

}  // namespace

GroupCommandDecoder::GroupCommandDecoder()
    : reader_{"cmd", "group_id", "message", "token", "type"} {}

CommandError GroupCommandDecoder::decode(std::string_view text, GroupRequest& out) {
  out = {};
  CommandError error = reader_.read(text);
  if (const std::string_view pong = reader_.heartbeatReply(); !pong.empty()) {
    out.command = GroupCommand::Ping;
    out.pong = pong;
    return CommandError::None;
  }
  if (error == CommandError::None) error = reader_.readCommand(kCmd, kCommands, out.command);
  if (error == CommandError::None && out.command == GroupCommand::Ping) {
    out.pong = R"({"cmd":"pong"})";
    return CommandError::None;
  }
  if (error == CommandError::None && out.command == GroupCommand::Refresh) {
    return reader_.readString(kToken, out.token);
  }
  if (error == CommandError::None && out.command == GroupCommand::WhoAmI) return error;
  if (error == CommandError::None) error = reader_.readGroup(kGroupId, out.group);
  if (error != CommandError::None) return error;

  if (out.command != GroupCommand::SendToGroup) return CommandError::None;
  if (error = reader_.require(kMessage); error != CommandError::None) return error;
  out.message = reader_.fields().text(kMessage);
  return CommandError::None;
}

std::string whoAmIReply(std::string_view client, std::string_view user) {
  Value reply = Value::array({{"cmd", "whoami"}, {"client", client}});
  if (!user.empty()) reply.set("user", user);
  return toJson(reply);
}

std::string errorReply(std::string_view code, std::string_view message) {
  return toJson(Value::array({{"cmd", "error"}, {"code", code}, {"message", message}}));
}

}  // namespace stormo
