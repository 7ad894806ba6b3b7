#include "protocol/http/percent.h"

#include "protocol/text/ascii.h"

namespace stormo {
namespace {

/// The number that a hexadecimal digit stands for, or -1.
int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = toLowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string> percentDecoded(std::string_view text, bool plusIsSpace) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      if (text.size() - at < 3) return std::nullopt;
      const int high = hexDigit(text[at + 1]);
      const int low = hexDigit(text[at + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      out.push_back(plusIsSpace && text[at] == '+' ? ' ' : text[at]);
    }
  }
  return out;
}

}  // namespace stormo
