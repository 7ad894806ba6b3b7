#include "protocol/channel/group_event.h"

#include <stormo/audience.h>
#include <stormo/json.h>

#include <stdexcept>

#include "protocol/php/scanner.h"
#include "protocol/php/serialize.h"
#include "protocol/text/utf8.h"

namespace stormo::channel {
namespace {

/// The value's own bytes if it is a string, else its JSON text in `scratch`. Nothing if it is
/// opaque.
std::optional<std::string_view> textOf(std::string_view serialized, std::string& scratch) {
  php::Scanner scanner(serialized);
  php::Token token;
  if (scanner.next(token) && token.type == php::Token::Type::String) return token.text;
  std::size_t consumed = 0;
  const std::optional<Value> value = php::unserialize(serialized, consumed);
  if (!value || value->isOpaque()) return std::nullopt;
  scratch = toJson(*value);
  return scratch;
}

/// The key that states an audience.
std::string_view keyOf(Audience::Kind kind) {
  switch (kind) {
    case Audience::Kind::User:
      return "user_id";
    case Audience::Kind::Client:
      return "client_id";
    case Audience::Kind::Everybody:
      return "all";
    case Audience::Kind::Group:
      break;
  }
  return "group_id";
}

std::optional<Audience::Kind> kindOf(std::string_view key) {
  using Kind = Audience::Kind;
  for (const Kind kind : {Kind::Group, Kind::User, Kind::Client, Kind::Everybody}) {
    if (key == keyOf(kind)) return kind;
  }
  return std::nullopt;
}

/// The name in the Channel of what a serialized id states; empty if it states none.
std::string_view nameOf(Audience::Kind kind, std::string_view serialized, std::string& scratch) {
  php::Token id;
  if (php::Scanner only(serialized); !only.next(id)) return {};
  if (kind == Audience::Kind::Everybody) {
    scratch = Audience::everybody().channelName();
    return id.type == php::Token::Type::Bool && id.boolean ? scratch : std::string_view();
  }
  if (id.type != php::Token::Type::String && id.type != php::Token::Type::Int) return {};
  if (kind == Audience::Kind::Group) return isReservedName(id.text) ? std::string_view() : id.text;
  try {
    scratch = (kind == Audience::Kind::User ? Audience::user(id.text) : Audience::client(id.text))
                  .channelName();
  } catch (const std::invalid_argument&) {
    return {};
  }
  return scratch;
}

}  // namespace

std::optional<GroupEvent> readGroupEvent(std::string_view data, GroupEventScratch& scratch) {
  using Type = php::Token::Type;
  php::Scanner scanner(data);
  php::Token token;
  if (!scanner.next(token) || token.type != Type::ArrayStart) return std::nullopt;
  std::size_t elementsLeft = php::Limits{}.elementsMax;
  Audience::Kind kind{};
  std::string_view id;       // serialized
  std::string_view message;  // serialized
  for (std::size_t left = token.count; left > 0; --left) {
    php::Token key;
    if (!scanner.nextKey(key)) return std::nullopt;
    const std::size_t start = scanner.position();
    if (!scanner.skipValue(php::Limits{}.depthMax, elementsLeft)) return std::nullopt;
    if (key.type != Type::String) continue;
    if (const auto stated = kindOf(key.text)) {
      if (!id.empty()) return std::nullopt;
      kind = *stated;
      id = scanner.since(start);
    } else if (key.text == "message") {
      message = scanner.since(start);
    }
  }
  if (id.empty() || message.empty()) return std::nullopt;
  const std::string_view name = nameOf(kind, id, scratch.name);
  if (name.empty()) return std::nullopt;

  const auto text = textOf(message, scratch.text);
  if (!text) return std::nullopt;
  return GroupEvent{.group = name, .message = isUtf8(*text) ? Message(*text) : binary(*text)};
}

void appendGroupEvent(std::string_view name, std::string_view message, std::string& out) {
  out.append("a:2:{");
  if (!isReservedName(name)) {
    out.append("s:8:\"group_id\";");
    php::serializeString(name, out);
  } else if (const auto audience = Audience::ofName(name)) {
    php::serializeString(keyOf(audience->kind()), out);
    if (audience->kind() == Audience::Kind::Everybody) {
      out.append("b:1;");
    } else {
      php::serializeString(audience->id(), out);
    }
  } else {
    out.append("s:8:\"group_id\";N;");  // a reserved name without a meaning: no group message
  }
  out.append("s:7:\"message\";");
  php::serializeString(message, out);
  out.push_back('}');
}

}  // namespace stormo::channel
