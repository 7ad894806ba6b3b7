#pragma once

#include <cstdint>
#include <string_view>

namespace stormo {

/// True if the bytes are whole, valid UTF-8 (RFC 3629).
[[nodiscard]] bool isUtf8(std::string_view bytes);

/// Judges UTF-8 that comes in pieces, cut anywhere.
class Utf8Validator {
 public:
  /// False as soon as what was fed cannot be the beginning of valid UTF-8, inside a sequence too:
  /// an overlong form or a surrogate fails at its second byte. Stays false until reset().
  bool feed(std::string_view piece);

  /// True if what was fed is valid and does not end inside a sequence.
  [[nodiscard]] bool complete() const { return missing_ == 0; }

  void reset() { *this = Utf8Validator(); }

 private:
  bool step(std::uint8_t byte);
  bool fail();

  std::uint8_t missing_ = 0;  // continuation bytes that the open sequence still needs
  std::uint8_t low_ = 0x80;   // the range of the next one; empty once a byte was wrong
  std::uint8_t high_ = 0xbf;
};

}  // namespace stormo
