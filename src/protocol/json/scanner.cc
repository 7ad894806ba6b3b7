#include "protocol/json/scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "protocol/text/utf8.h"

namespace stormo {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isHexDigit(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return isDigit(c) || (lower >= 'a' && lower <= 'f');
}

/// The bytes of a string that need no handling: all but its end, escapes, and control characters,
/// which are not allowed.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < plain.size(); ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

using Block = unsigned char __attribute__((vector_size(16)));

/// For each byte of the block: all bits set if it is not plain.
Block unplain(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return Block((block < 0x20) | (block == '"') | (block == '\\'));
}

bool isZero(Block block) {
  std::uint64_t halves[2];
  std::memcpy(halves, &block, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

const char* plainEnd(const char* at, const char* end) {
  constexpr std::ptrdiff_t kBlock = sizeof(Block);
  // Most strings are keys and short words, too short for blocks to pay off.
  for (const char* const few = at + std::min(end - at, kBlock); at < few; ++at) {
    if (!kPlain[static_cast<unsigned char>(*at)]) return at;
  }
  while (end - at >= 4 * kBlock && isZero(unplain(at) | unplain(at + kBlock) |
                                          unplain(at + 2 * kBlock) | unplain(at + 3 * kBlock))) {
    at += 4 * kBlock;
  }
  while (end - at >= kBlock && isZero(unplain(at))) at += kBlock;
  while (at < end && kPlain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

/// Four hexadecimal digits.
std::uint32_t codeUnit(const char* digits) {
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = digits[i];
    unit = unit * 16 + static_cast<std::uint32_t>(isDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

char* writeUtf8(std::uint32_t point, char* to) {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
  return to;
}

bool isHighHalf(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool isLowHalf(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

/// Writes the character of the escape at the front of `raw`, and removes the escape.
char* writeEscape(std::string_view& raw, char* to) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kNamed = "\"\\/\b\f\n\r\t";
  if (raw[1] != 'u') {
    *to++ = kNamed[kNames.find(raw[1])];
    raw.remove_prefix(2);
    return to;
  }
  std::uint32_t point = codeUnit(raw.data() + 2);
  raw.remove_prefix(6);
  if (isHighHalf(point) && raw.starts_with("\\u") && isLowHalf(codeUnit(raw.data() + 2))) {
    point = 0x10000 + ((point - 0xd800) << 10) + (codeUnit(raw.data() + 2) - 0xdc00);
    raw.remove_prefix(6);
  } else if (isHighHalf(point) || isLowHalf(point)) {
    return to + kReplacement.copy(to, kReplacement.size());
  }
  return writeUtf8(point, to);
}

}  // namespace

std::string_view JsonString::text(std::string& buffer) const {
  if (!isEscaped) return raw;
  buffer.resize(raw.size());  // no escape is shorter than its character
  char* to = buffer.data();
  for (std::string_view rest = raw; !rest.empty();) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    to += rest.copy(to, plain);
    rest.remove_prefix(plain);
    if (!rest.empty()) to = writeEscape(rest, to);
  }
  buffer.resize(static_cast<std::size_t>(to - buffer.data()));
  return buffer;
}

JsonScanner::JsonScanner(std::string_view text, std::size_t nestingMax)
    : at_(text.data()), end_(text.data() + text.size()), nestingMax_(nestingMax) {
  if (!isUtf8(text)) fail();
}

JsonScanner::Kind JsonScanner::next() {
  skipSpace();
  if (at_ == end_) return Kind::None;
  switch (*at_) {
    case '{':
      return Kind::Object;
    case '[':
      return Kind::Array;
    case '"':
      return Kind::String;
    case 't':
      return Kind::True;
    case 'f':
      return Kind::False;
    case 'n':
      return Kind::Null;
    default:
      return *at_ == '-' || isDigit(*at_) ? Kind::Number : Kind::None;
  }
}

JsonString JsonScanner::string() {
  take('"');
  JsonString out;
  const char* const begin = at_;
  while (true) {
    at_ = plainEnd(at_, end_);
    if (at_ == end_) return fail(), out;
    if (*at_ == '"') break;
    if (!skipEscape()) return fail(), out;
    out.isEscaped = true;
  }
  out.raw = {begin, at_};
  ++at_;
  return out;
}

bool JsonScanner::skipEscape() {
  const auto left = static_cast<std::size_t>(end_ - at_);
  if (left < 2 || at_[0] != '\\') return false;
  if (at_[1] == 'u') {
    if (left < 6 || !isHexDigit(at_[2]) || !isHexDigit(at_[3]) || !isHexDigit(at_[4]) ||
        !isHexDigit(at_[5])) {
      return false;
    }
    at_ += 6;
    return true;
  }
  constexpr std::string_view kNames = "\"\\/bfnrt";
  if (kNames.find(at_[1]) == std::string_view::npos) return false;
  at_ += 2;
  return true;
}

bool JsonScanner::skipDigits() {
  const char* const begin = at_;
  while (at_ < end_ && isDigit(*at_)) ++at_;
  return at_ > begin;
}

std::string_view JsonScanner::number() {
  skipSpace();
  const char* const begin = at_;
  const auto takeOne = [this](char one, char other) {
    if (at_ == end_ || (*at_ != one && *at_ != other)) return false;
    ++at_;
    return true;
  };
  takeOne('-', '-');
  // No digit follows a leading zero.
  if (!takeOne('0', '0') && !skipDigits()) return fail(), std::string_view();
  if (takeOne('.', '.') && !skipDigits()) return fail(), std::string_view();
  if (takeOne('e', 'E')) {
    takeOne('+', '-');
    if (!skipDigits()) return fail(), std::string_view();
  }
  return {begin, at_};
}

std::string_view JsonScanner::skip() {
  skipSpace();
  const char* const begin = at_;
  skipValue();
  return failed_ ? std::string_view() : std::string_view(begin, at_);
}

void JsonScanner::skipValue() {
  // Without recursion: the processor predicts only about 16 returns in a row.
  std::array<char, kNestingMax> brackets;  // the closing ones that are due, the innermost last
  std::size_t open = 0;
  const auto enter = [&](char bracket) {
    if (open == brackets.size() || depth_ + open >= nestingMax_) return fail();
    ++at_;
    if (takeIf(bracket)) return;
    brackets[open++] = bracket;
    if (bracket == '}') skipKey();
  };
  while (true) {
    const std::size_t before = open;
    switch (next()) {
      case Kind::None:
        return fail();
      case Kind::Object:
        enter('}');
        break;
      case Kind::Array:
        enter(']');
        break;
      case Kind::String:
        static_cast<void>(string());
        break;
      case Kind::Number:
        static_cast<void>(number());
        break;
      case Kind::True:
        skipWord("true");
        break;
      case Kind::False:
        skipWord("false");
        break;
      case Kind::Null:
        skipWord("null");
        break;
    }
    if (open > before) continue;
    while (open > 0 && !takeIf(',')) take(brackets[--open]);
    if (open == 0) return;
    if (brackets[open - 1] == '}') skipKey();
  }
}

void JsonScanner::skipKey() {
  static_cast<void>(string());
  take(':');
}

bool JsonScanner::done() {
  skipSpace();
  return !failed_ && at_ == end_;
}

void JsonScanner::enter(char bracket) {
  take(bracket);
  if (++depth_ > nestingMax_) fail();
}

void JsonScanner::skipWord(std::string_view word) {
  if (!std::string_view(at_, end_).starts_with(word)) return fail();
  at_ += word.size();
}

void JsonScanner::fail() {
  failed_ = true;
  at_ = end_;
}

}  // namespace stormo
