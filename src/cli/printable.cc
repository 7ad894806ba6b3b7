#include "cli/printable.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/text/utf8.h"

namespace stormo::cli {

std::string printable(std::string_view text) {
  const bool isText = isUtf8(text) && std::ranges::none_of(text, [](char c) {
                        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\xc2';
                      });
  if (isText) return std::string(text);
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace stormo::cli
