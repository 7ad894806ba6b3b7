#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stormo {

/// True if the bytes are whole, valid UTF-8 (RFC 3629).
[[nodiscard]] bool isUtf8(std::string_view bytes);

/// The length of a sequence that starts with this byte, 1 to 4, whatever follows; 1 for a byte that
/// starts none.
[[nodiscard]] std::size_t sequenceBytes(std::uint8_t lead);

/// The longest start of `text` that has at most `bytesMax` bytes and ends between two sequences.
[[nodiscard]] std::string_view cutBetweenCharacters(std::string_view text, std::size_t bytesMax);

/// Validates UTF-8 that arrives in pieces, cut anywhere.
class Utf8Validator {
 public:
  /// False as soon as the pieces cannot be the start of valid UTF-8, also inside a sequence: an
  /// overlong form or a surrogate fails at its second byte. Stays false until reset().
  bool feed(std::string_view piece);

  /// True if the pieces are valid and do not end inside a sequence.
  [[nodiscard]] bool complete() const { return missing_ == 0; }

  void reset() { *this = Utf8Validator(); }

 private:
  bool step(std::uint8_t byte);
  bool fail();

  std::uint8_t missing_ = 0;  // continuation bytes that the incomplete sequence still needs
  std::uint8_t low_ = 0x80;   // the range of the next one; empty once a byte was wrong
  std::uint8_t high_ = 0xbf;
};

}  // namespace stormo
