#include "protocol/text/utf8.h"

#include <simdjson.h>

#include <cstddef>
#include <cstring>

namespace stormo {
namespace {

constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;

// Up to this length, a look at the words is faster than a call of simdjson.
constexpr std::size_t kShortBytesMax = 64;

std::uint64_t loadWord(const char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// True if all of a short text is ASCII.
bool isAscii(std::string_view text) {
  std::uint64_t seen = 0;
  if (text.size() < sizeof seen) {
    for (const char c : text) seen |= static_cast<std::uint8_t>(c);
  } else {
    const char* const last = text.data() + text.size() - sizeof seen;
    for (const char* at = text.data(); at < last; at += sizeof seen) seen |= loadWord(at);
    seen |= loadWord(last);  // overlaps the one before it
  }
  return (seen & kHighBits) == 0;
}

bool isContinuation(char byte) { return (static_cast<std::uint8_t>(byte) & 0xc0u) == 0x80; }

/// The length of the longest start of `text` that does not end inside a sequence.
std::size_t wholeSequences(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const char byte = text[text.size() - back];
    if (isContinuation(byte)) continue;
    return sequenceBytes(static_cast<std::uint8_t>(byte)) > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

bool isUtf8(std::string_view bytes) {
  if (bytes.size() <= kShortBytesMax && isAscii(bytes)) return true;
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

std::size_t sequenceBytes(std::uint8_t lead) {
  if (lead < 0xc2 || lead > 0xf4) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

std::string_view cutBetweenCharacters(std::string_view text, std::size_t bytesMax) {
  if (text.size() <= bytesMax) return text;
  std::size_t end = bytesMax;
  while (end > 0 && isContinuation(text[end])) --end;
  return text.substr(0, end);
}

bool Utf8Validator::feed(std::string_view piece) {
  std::size_t at = 0;
  while (missing_ > 0 && at < piece.size()) {
    if (!step(static_cast<std::uint8_t>(piece[at++]))) return false;
  }
  if (missing_ > 0) return low_ <= high_;

  piece.remove_prefix(at);
  const std::size_t whole = wholeSequences(piece);
  if (!isUtf8(piece.substr(0, whole))) return fail();
  for (at = whole; at < piece.size(); ++at) {
    if (!step(static_cast<std::uint8_t>(piece[at]))) return false;
  }
  return true;
}

/// The table of well-formed sequences, Unicode 3.9 table 3-7 (RFC 3629 4): the first byte decides
/// how many follow and the range of the second.
bool Utf8Validator::step(std::uint8_t byte) {
  if (missing_ > 0) {
    if (byte < low_ || byte > high_) return fail();
    --missing_;
    low_ = 0x80;
    high_ = 0xbf;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return fail();  // stray, overlong, or above U+10FFFF
  missing_ = static_cast<std::uint8_t>(sequenceBytes(byte) - 1);
  if (byte == 0xe0) low_ = 0xa0;   // else overlong
  if (byte == 0xed) high_ = 0x9f;  // else a surrogate
  if (byte == 0xf0) low_ = 0x90;   // else overlong
  if (byte == 0xf4) high_ = 0x8f;  // else above U+10FFFF
  return true;
}

/// Waits for a byte of an empty range.
bool Utf8Validator::fail() {
  missing_ = 1;
  low_ = 0xff;
  high_ = 0;
  return false;
}

}  // namespace stormo
