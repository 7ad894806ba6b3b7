#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stormo::php {

/// One token of the serialize() format.
struct Token {
  enum class Type { Null, Bool, Int, Double, String, ArrayStart };

  Type type = Type::Null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::size_t count = 0;  ///< Of ArrayStart: how many pairs of key and value claim to follow.
  std::string_view text;  ///< A string's bytes; a number as it is spelled. A view into the input.
};

/// Reads tokens off the front of `in`. This is the one place that knows the grammar; what builds
/// values, what skips them and what decodes Channel messages all read through it.
class Scanner {
 public:
  explicit Scanner(std::string_view in) : in_(in) {}

  /// Reads a value's token. False if there is none: from then on the scanner is of no use.
  [[nodiscard]] bool next(Token& token);
  /// Reads a key of an array: an Int or a String.
  [[nodiscard]] bool nextKey(Token& token);
  /// Reads the brace behind an array's last pair.
  [[nodiscard]] bool endArray() { return take('}'); }
  /// Reads one whole value without keeping any of it. `depthMax` counts arrays within one another;
  /// each pair passed takes one off `elementsLeft`, and there must be enough.
  [[nodiscard]] bool skipValue(std::size_t depthMax, std::size_t& elementsLeft);

  /// Bytes read so far.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// The input from `start` to the current position.
  [[nodiscard]] std::string_view since(std::size_t start) const {
    return in_.substr(start, at_ - start);
  }

 private:
  [[nodiscard]] bool take(char expected) {
    if (at_ == in_.size() || in_[at_] != expected) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool takeDigits();
  [[nodiscard]] bool takeCount(std::size_t& count);
  [[nodiscard]] bool takeNamedDouble(std::string_view name);
  [[nodiscard]] bool readBool(Token& token);
  [[nodiscard]] bool readInt(Token& token);
  [[nodiscard]] bool readDouble(Token& token);
  [[nodiscard]] bool readString(Token& token);
  [[nodiscard]] bool readArrayStart(Token& token);

  std::string_view in_;
  std::size_t at_ = 0;
};

}  // namespace stormo::php
