#include "protocol/http/server_sent_event.h"

#include <algorithm>
#include <stdexcept>

#include "protocol/text/decimal.h"

namespace stormo {
namespace {

void requireOneLine(const char* what, std::string_view text, std::string_view forbidden) {
  if (text.find_first_of(forbidden) == std::string_view::npos) return;
  throw std::invalid_argument(std::string(what) +
                              " of a server-sent event must be one line without NUL");
}

/// Each line of `text`, also the empty one after a last line end.
void appendLines(std::string_view field, std::string_view text, std::string& out) {
  while (true) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    out.append(field).append(text.substr(0, end)).append("\n");
    if (end == text.size()) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

}  // namespace

void appendServerSentEvent(std::string_view data, std::string_view event, std::string_view id,
                           std::optional<std::chrono::milliseconds> retry, std::string& out) {
  constexpr std::string_view kForbidden("\r\n\0", 3);
  requireOneLine("the type", event, kForbidden);
  requireOneLine("the id", id, kForbidden);
  if (retry && retry->count() < 0) {
    throw std::invalid_argument("the retry of a server-sent event must not be negative");
  }
  if (!event.empty()) appendLines("event: ", event, out);
  if (!id.empty()) appendLines("id: ", id, out);
  if (retry) {
    out.append("retry: ");
    appendDecimal(retry->count(), out);
    out.append("\n");
  }
  appendLines("data: ", data, out);
  out.append("\n");
}

void appendEventComment(std::string_view text, std::string& out) {
  appendLines(text.empty() ? ":" : ": ", text, out);
  out.append("\n");
}

}  // namespace stormo
