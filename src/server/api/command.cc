#include "server/api/command.h"

#include <openssl/evp.h>
#include <stormo/json.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "server/api/fields.h"

namespace stormo::server::api {
namespace {

using Kind = Command::Kind;

constexpr std::size_t kReasonBytesMax = 123;
constexpr std::size_t kInfoBytesMax = 4096;
constexpr std::size_t kExceptMax = 200;
constexpr std::size_t kTextBytesMax = std::numeric_limits<std::size_t>::max();
constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the last one of the year 9999
/// What a publish takes beside its message and names, roughly.
constexpr std::size_t kOverheadBytes = 64;

constexpr std::array<std::pair<std::string_view, Kind>, 6> kNames = {
    {{"publish", Kind::Publish},
     {"join", Kind::Join},
     {"leave", Kind::Leave},
     {"disconnect", Kind::Disconnect},
     {"info", Kind::Info},
     {"revoke", Kind::Revoke}}};

/// RFC 4648 4, with padding. Nothing if it is not that.
std::optional<std::string> decodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const bool isAlphabet = std::ranges::all_of(text.substr(0, text.size() - padding), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
  if (!isAlphabet) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

void readMessage(Fields& fields, Command& command) {
  const bool isBinary = fields.has("binary");
  if (fields.has("message") == isBinary) {
    return fields.refuse({}, "needs exactly one of 'message' and 'binary'");
  }
  if (!isBinary) {
    const Value& message = fields.any("message");
    command.message = message.isString() ? std::string(message.asString()) : toJson(message);
    return;
  }
  command.isBinary = true;
  const auto text = fields.text("binary", kTextBytesMax);
  auto bytes = text ? decodeBase64(*text) : std::nullopt;
  if (!bytes) return fields.refuse("binary", "must be bytes in base64, with padding");
  command.message = std::move(*bytes);
}

void readTarget(Fields& fields, Command& command) {
  constexpr std::array<std::string_view, 6> kTargets = {"group", "groups", "pattern",
                                                        "user",  "client", "all"};
  // All are asked for, so that all are known names.
  const auto given = std::ranges::count_if(kTargets, [&](auto name) { return fields.has(name); });
  if (given != 1) {
    return fields.refuse({},
                         "needs exactly one of 'group', 'groups', 'pattern', 'user', 'client' "
                         "and 'all'");
  }
  command.isList = fields.has("groups") || fields.has("pattern");
  if (fields.has("groups")) {
    command.to = fields.groups("groups", kGroupsMax);
  } else if (fields.has("pattern")) {
    command.pattern = fields.text("pattern", 255).value_or("");
    if (command.pattern.empty()) fields.refuse("pattern", "must not be empty: \"*\" is all groups");
  } else if (fields.has("group")) {
    const std::string group = fields.group("group");
    if (fields.isOk()) command.to = {Audience::group(group)};
  } else if (const auto clients = fields.clients()) {
    command.to = {*clients};
  }
}

void readExcept(Fields& fields, Command& command) {
  const Value& except = fields.any("except");
  if (except.isNull()) return;
  const Value list = except.isList() ? except : Value::list({except});
  if (list.size() > kExceptMax) {
    return fields.refuse("except", "may have " + std::to_string(kExceptMax) + " elements");
  }
  for (const auto& [index, element] : list) {
    Fields one(element, "");
    const auto user = one.user("user");
    const auto client = one.client("client");
    if (one.finish() || user.has_value() == client.has_value()) {
      return fields.refuse("except",
                           "must be {\"user\": id} or {\"client\": id}, or a list of these");
    }
    command.except.push_back(user ? *user : *client);
  }
}

void readDisconnect(Fields& fields, Command& command) {
  if (const auto code = fields.number("code", 1000, 4999)) {
    const bool maySend = *code == 1000 || *code == 1001 || *code == 1008 || *code >= 1011;
    const bool isOurs = *code <= 1013 || *code >= 3000;
    if (!maySend || !isOurs) {
      fields.refuse("code", "must be 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999");
    }
    command.code = static_cast<CloseCode>(*code);
  }
  command.reason = fields.text("reason", kReasonBytesMax).value_or("");
}

void readInfo(Fields& fields, Command& command) {
  const Value& info = fields.any("info");
  if (info.isNull()) return;
  if (!info.isObject()) return fields.refuse("info", "must be an object, or null for none");
  command.info = toJson(info);
  if (command.info.size() > kInfoBytesMax) {
    fields.refuse("info", "may have " + std::to_string(kInfoBytesMax) + " bytes");
  }
}

void readRevocation(Fields& fields, Command& command, std::int64_t now) {
  const bool hasUser = fields.has("user");
  if (hasUser == fields.has("token")) {
    return fields.refuse({}, "needs exactly one of 'user' and 'token'");
  }
  Backend::Revocation& revocation = command.revocation;
  if (hasUser) {
    if (const auto user = fields.user("user")) revocation.user = user->id();
  } else {
    revocation.token = fields.text("token", 255).value_or("");
    if (revocation.token.empty()) fields.refuse("token", "must not be empty: it is a 'jti'");
  }
  revocation.issuedBefore = fields.number("issued_before", 0, kSecondsMax);
  const auto until = fields.number("until", 0, kSecondsMax);
  const auto seconds = fields.number("for_seconds", 0, kSecondsMax);
  if (until.has_value() == seconds.has_value()) {
    return fields.refuse({},
                         "needs 'until', in seconds since 1970, or 'for_seconds': when the last "
                         "of these tokens has expired");
  }
  revocation.until = until ? *until : std::min(now + *seconds, kSecondsMax);
}

Command read(Kind kind, Fields& fields, std::int64_t now) {
  Command command{.kind = kind};
  if (kind == Kind::Publish) {
    readTarget(fields, command);
    readMessage(fields, command);
    readExcept(fields, command);
  } else if (kind == Kind::Revoke) {
    readRevocation(fields, command, now);
  } else if (const auto who = fields.clients()) {
    command.to = {*who};
    if (kind == Kind::Join || kind == Kind::Leave) command.group = fields.group("group");
    if (kind == Kind::Disconnect) readDisconnect(fields, command);
    if (kind == Kind::Info) readInfo(fields, command);
  }
  return command;
}

Problem notJson() {
  return {.code = "invalid_json", .message = "the body is not valid JSON in UTF-8"};
}

}  // namespace

std::size_t Command::bytes() const {
  std::size_t each = message.size() + reason.size() + info.size() + kOverheadBytes;
  for (const Audience& one : except) each += one.channelName().size() + 1;
  std::size_t total = 0;
  for (const Audience& one : to) total += each + one.channelName().size();
  return std::max(total, each);
}

std::optional<Kind> commandNamed(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &std::pair<std::string_view, Kind>::first);
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

CommandOrProblem readCommand(Kind kind, std::string_view body, std::int64_t now) {
  const auto value = parseJson(body);
  if (!value) return notJson();
  Fields fields(*value, "");
  Command command = read(kind, fields, now);
  if (auto problem = fields.finish()) return std::move(*problem);
  return command;
}

CommandsOrProblem readBatch(std::string_view body, std::int64_t now) {
  const auto value = parseJson(body);
  if (!value) return notJson();
  Fields fields(*value, "");
  const Value& list = fields.any("commands");
  if (fields.isOk() && (!list.isList() || list.size() == 0 || list.size() > kCommandsMax)) {
    fields.refuse("commands",
                  "must be a list of 1 to " + std::to_string(kCommandsMax) + " commands");
  }
  if (auto problem = fields.finish()) return std::move(*problem);

  std::vector<Command> commands;
  commands.reserve(list.size());
  for (const auto& [index, element] : list) {
    Fields each(element, "commands[" + std::to_string(commands.size()) + "].");
    const auto name = each.text("cmd", 20);
    const auto kind = name ? commandNamed(*name) : std::nullopt;
    if (kind) {
      commands.push_back(read(*kind, each, now));
    } else {
      each.refuse("cmd", "must be publish, join, leave, disconnect, info or revoke");
    }
    if (auto problem = each.finish()) return std::move(*problem);
  }
  return commands;
}

}  // namespace stormo::server::api
