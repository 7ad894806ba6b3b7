#include "server/backend_commands.h"

#include <stormo/json.h>

#include <utility>

#include "protocol/channel/client_name.h"
#include "protocol/text/utf8.h"
#include "protocol/websocket/close.h"

namespace stormo::server {
namespace {

using What = BackendCommand::What;

constexpr std::size_t kInfoBytesMax = 4096;

constexpr std::pair<std::string_view, What> kCommands[] = {
    {"join", What::Join},
    {"leave", What::Leave},
    {"disconnect", What::Disconnect},
    {"info", What::Info},
};

std::optional<What> whatOf(std::string_view name) {
  for (const auto& [known, what] : kCommands) {
    if (name == known) return what;
  }
  return std::nullopt;
}

std::string readGroup(const Value& data, BackendCommand& command) {
  command.group = data["group"].text();
  return isReservedName(command.group) ? "group must be a name of 1 to 255 bytes" : "";
}

std::string readClosing(const Value& data, BackendCommand& command) {
  command.reason = data["reason"].text();
  if (!isUtf8(command.reason)) return "reason must be UTF-8";
  if (data["code"].isNull()) return {};
  const std::int64_t code = data["code"].asInt();
  if (!std::in_range<std::uint16_t>(code) ||
      !websocket::isValidOnWire(static_cast<std::uint16_t>(code))) {
    return "code must be a close code that may be sent, as 1000, 1008 or 4000 to 4999";
  }
  command.code = static_cast<CloseCode>(code);
  return {};
}

/// An object, as its JSON text or as an array of PHP.
std::string readInfo(const Value& data, BackendCommand& command) {
  const Value& info = data["info"];
  if (info.isArray() && (info.size() == 0 || !info.isList())) {
    if (info.size() > 0) command.info = toJson(info);
  } else if (info.isString()) {
    command.info = info.asString();
    const auto object = parseJson(command.info);
    if (!command.info.empty() && !(object && object->isArray() && object->isObject())) {
      return "info must be the JSON text of an object, or empty";
    }
  } else if (!info.isNull()) {
    return "info must be the JSON text of an object, or empty";
  }
  return command.info.size() > kInfoBytesMax ? "info must not be longer than 4096 bytes" : "";
}

}  // namespace

std::optional<Audience> audienceIn(const Value& fields, std::string& wrong) {
  const std::string user = fields["user"].text();
  const std::string client = fields["client"].text();
  const bool isAll = fields["all"].asBool();
  if ((user.empty() ? 0 : 1) + (client.empty() ? 0 : 1) + (isAll ? 1 : 0) != 1) {
    wrong = "exactly one of user, client and all must be given";
  } else if (user.size() > Audience::kUserBytesMax) {
    wrong = "user must not be longer than 253 bytes";
  } else if (!client.empty() && client.size() != channel::kClientIdBytes) {
    wrong = "client is no id of a client";
  } else {
    if (isAll) return Audience::everybody();
    return user.empty() ? Audience::client(client) : Audience::user(user);
  }
  return std::nullopt;
}

std::optional<BackendCommand> commandOf(const Value& data, std::string& wrong) {
  const auto what = whatOf(data["cmd"].asString());
  if (!what) {
    wrong = "cmd must be join, leave, disconnect or info";
    return std::nullopt;
  }
  const auto who = audienceIn(data, wrong);
  if (!who) return std::nullopt;
  BackendCommand command{.what = *what, .who = *who};
  switch (*what) {
    case What::Join:
    case What::Leave:
      wrong = readGroup(data, command);
      break;
    case What::Disconnect:
      wrong = readClosing(data, command);
      break;
    case What::Info:
      wrong = readInfo(data, command);
      break;
  }
  if (!wrong.empty()) return std::nullopt;
  return command;
}

}  // namespace stormo::server
