#include "protocol/channel/group_event.h"

#include <stormo/json.h>

#include "protocol/channel/dialect.h"
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

}  // namespace

std::optional<GroupEvent> readGroupEvent(std::string_view data, std::string& scratch) {
  using Type = php::Token::Type;
  php::Scanner scanner(data);
  php::Token token;
  if (!scanner.next(token) || token.type != Type::ArrayStart) return std::nullopt;
  std::size_t elementsLeft = php::Limits{}.elementsMax;
  std::string_view group;
  std::string_view message;  // serialized
  for (std::size_t left = token.count; left > 0; --left) {
    php::Token key;
    if (!scanner.nextKey(key)) return std::nullopt;
    const std::size_t start = scanner.position();
    if (!scanner.skipValue(php::Limits{}.depthMax, elementsLeft)) return std::nullopt;
    if (key.type != Type::String) continue;
    if (key.text == "group_id") group = scanner.since(start);
    if (key.text == "message") message = scanner.since(start);
  }
  if (group.empty() || message.empty()) return std::nullopt;

  php::Token name;
  if (php::Scanner only(group); !only.next(name)) return std::nullopt;
  if (name.type != Type::String && name.type != Type::Int) return std::nullopt;
  if (!isChannelName(name.text)) return std::nullopt;

  const auto text = textOf(message, scratch);
  if (!text) return std::nullopt;
  return GroupEvent{.group = name.text, .message = isUtf8(*text) ? Message(*text) : binary(*text)};
}

void appendGroupEvent(std::string_view group, std::string_view message, std::string& out) {
  out.append("a:2:{s:8:\"group_id\";");
  php::serializeString(group, out);
  out.append("s:7:\"message\";");
  php::serializeString(message, out);
  out.push_back('}');
}

}  // namespace stormo::channel
