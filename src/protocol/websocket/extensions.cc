#include "protocol/websocket/extensions.h"

#include <algorithm>
#include <cstddef>

#include "protocol/text/ascii.h"

namespace stormo::websocket {
namespace {

bool isTokenByte(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const char lower = toLowerAscii(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

/// Reads the grammar of RFC 6455 9.1 from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool atEnd() {
    skipSpace();
    return rest_.empty();
  }

  bool take(char mark) {
    skipSpace();
    if (!rest_.starts_with(mark)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> takeToken() {
    skipSpace();
    const auto end = std::ranges::find_if_not(rest_, isTokenByte);
    const auto bytes = static_cast<std::size_t>(end - rest_.begin());
    if (bytes == 0) return std::nullopt;
    std::string token(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
    return token;
  }

  /// A token, or a quoted string whose content is a token.
  std::optional<std::string> takeValue() {
    if (!take('"')) return takeToken();
    std::string content;
    while (!rest_.empty()) {
      char c = takeByte();
      if (c == '"') return isToken(content) ? std::optional(content) : std::nullopt;
      if (c == '\\') {
        if (rest_.empty()) break;
        c = takeByte();
      }
      content.push_back(c);
    }
    return std::nullopt;
  }

 private:
  void skipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  char takeByte() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
};

std::optional<ExtensionParameter> takeParameter(Scanner& in) {
  auto name = in.takeToken();
  if (!name) return std::nullopt;
  ExtensionParameter parameter{.name = std::move(*name)};
  if (!in.take('=')) return parameter;
  parameter.value = in.takeValue();
  if (!parameter.value) return std::nullopt;
  return parameter;
}

std::optional<Extension> takeExtension(Scanner& in) {
  auto name = in.takeToken();
  if (!name) return std::nullopt;
  Extension extension{.name = std::move(*name)};
  while (in.take(';')) {
    auto parameter = takeParameter(in);
    if (!parameter) return std::nullopt;
    extension.parameters.push_back(std::move(*parameter));
  }
  return extension;
}

/// Appends the elements of one field. False if it does not conform.
bool appendList(std::string_view text, std::vector<Extension>& out) {
  Scanner in(text);
  const std::size_t before = out.size();
  for (;;) {
    while (in.take(',')) {  // a recipient accepts empty elements (RFC 9110 5.6.1.2)
    }
    if (in.atEnd()) return out.size() > before;
    auto extension = takeExtension(in);
    if (!extension || (!in.atEnd() && !in.take(','))) return false;
    out.push_back(std::move(*extension));
  }
}

}  // namespace

bool isToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, isTokenByte);
}

std::optional<std::vector<Extension>> parseExtensions(const std::vector<HttpHeader>& headers) {
  std::vector<Extension> all;
  for (const HttpHeader& field : headers) {
    if (!equalsIgnoringCase(field.name, "Sec-WebSocket-Extensions")) continue;
    if (!appendList(field.value, all)) return std::nullopt;
  }
  return all;
}

}  // namespace stormo::websocket
