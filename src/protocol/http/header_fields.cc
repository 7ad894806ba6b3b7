#include "protocol/http/header_fields.h"

#include <algorithm>

#include "protocol/text/ascii.h"

namespace stormo {

std::string_view headerValue(const std::vector<HttpHeader>& headers, std::string_view name) {
  for (const HttpHeader& field : headers) {
    if (equalsIgnoringCase(field.name, name)) return field.value;
  }
  return {};
}

std::size_t headerCount(const std::vector<HttpHeader>& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [&](const HttpHeader& field) { return equalsIgnoringCase(field.name, name); }));
}

bool headerHasToken(const std::vector<HttpHeader>& headers, std::string_view name,
                    std::string_view token) {
  for (const HttpHeader& field : headers) {
    if (!equalsIgnoringCase(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (equalsIgnoringCase(takeListItem(rest), token)) return true;
    }
  }
  return false;
}

}  // namespace stormo
