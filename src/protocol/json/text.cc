#include "protocol/json/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/text/utf8.h"

namespace stormo {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr char kLineEndsBegin = '\xe2';

/// The bytes that are written unchanged.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  std::fill(plain.begin() + 0x20, plain.end(), true);
  for (const char c : {'"', '\\', kLineEndsBegin}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

/// The first byte of `text` and those after it that may continue its sequence. They need not be
/// valid.
std::string_view firstSequence(std::string_view text) {
  const std::size_t wanted = sequenceBytes(static_cast<std::uint8_t>(text[0]));
  std::size_t bytes = 1;
  while (bytes < wanted && bytes < text.size() && (text[bytes] & 0xc0) == 0x80) ++bytes;
  return text.substr(0, bytes);
}

void appendEscaped(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  out.push_back('\\');
  if (const std::size_t at = kNamed.find(c); at != std::string_view::npos) {
    out.push_back(kNames[at]);
  } else {
    out.append("u00");
    out.push_back(kHex[static_cast<std::size_t>(c) >> 4]);
    out.push_back(kHex[static_cast<std::size_t>(c) & 15]);
  }
}

void appendValid(std::string_view text, std::string& out) {
  while (true) {
    const auto end = std::ranges::find_if_not(
        text, [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
    const auto plain = static_cast<std::size_t>(end - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    if (text[0] != kLineEndsBegin) {
      appendEscaped(text[0], out);
      text.remove_prefix(1);
      continue;
    }
    // PHP escapes the two line ends that older JavaScript does not allow in a string.
    const std::string_view sequence = text.substr(0, 3);
    if (sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9") {
      out.append(sequence.back() == '\xa8' ? "\\u2028" : "\\u2029");
    } else {
      out.append(sequence);
    }
    text.remove_prefix(sequence.size());
  }
}

void appendReplacingInvalid(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::string_view sequence = firstSequence(text);
    appendValid(isUtf8(sequence) ? sequence : kReplacement, out);
    text.remove_prefix(sequence.size());
  }
}

}  // namespace

void appendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  isUtf8(text) ? appendValid(text, out) : appendReplacingInvalid(text, out);
  out.push_back('"');
}

}  // namespace stormo
