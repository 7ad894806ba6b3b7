#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::php {

/// One token of the serialize() format.
struct Token {
  enum class Type {
    Null,
    Bool,
    Int,
    Double,
    String,
    ArrayStart,
    ObjectStart,  ///< O: pairs follow, as after ArrayStart.
    Custom,       ///< C: a complete object of a class with its own format.
    Enum,         ///< E.
    Reference,    ///< R or r: to an earlier value of the text.
  };

  Type type = Type::Null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::size_t count =
      0;  ///< Of ArrayStart, ObjectStart: the stated number of pairs of key and value.
  std::string_view text;  ///< A string's bytes, or the text of a number. A view into the input.
};

/// The number in a reference and its position. References count the values of the whole text from 1
/// on, without keys and R references, so the number changes when the value with the reference
/// becomes part of another text.
struct Reference {
  std::size_t at = 0;  ///< Its position in the input.
  std::size_t bytes = 0;
  std::size_t number = 0;
};

/// Appends text that was read from `start` on in an input. The numbers of `references`, which are
/// in it, are reduced by `before` and increased by `after`.
void appendRenumbered(std::string_view text, std::size_t start,
                      std::span<const Reference> references, std::size_t before, std::size_t after,
                      std::string& out);

/// Reads tokens from the front of `in`. This is the only place that implements the grammar:
/// building and skipping values and decoding Channel messages use it.
class Scanner {
 public:
  explicit Scanner(std::string_view in) : in_(in) {}

  /// Reads the token of a value. False if there is none; then the scanner must not be used any
  /// more.
  [[nodiscard]] bool next(Token& token);
  /// Reads a key of an array: an Int or a String.
  [[nodiscard]] bool nextKey(Token& token);
  /// Reads the brace after an array's last pair.
  [[nodiscard]] bool endArray() { return take('}'); }
  /// Reads one complete value without keeping it. `depthMax` limits the nesting of arrays and
  /// objects. Each pair takes one from `elementsLeft`; false if there are not enough.
  [[nodiscard]] bool skipValue(std::size_t depthMax, std::size_t& elementsLeft);
  /// The same, after the first token of the value was read.
  [[nodiscard]] bool skipRest(const Token& first, std::size_t depthMax, std::size_t& elementsLeft);

  /// Bytes read so far.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// The input from `start` to the current position.
  [[nodiscard]] std::string_view since(std::size_t start) const {
    return in_.substr(start, at_ - start);
  }

  /// A position between two values.
  struct Mark {
    std::size_t position = 0;
    std::size_t values = 0;  ///< The number of values before it, as references count.
    std::size_t references = 0;
  };
  [[nodiscard]] Mark mark() const { return {at_, values_, references_.size()}; }
  /// The references read since `mark`.
  [[nodiscard]] std::span<const Reference> referencesSince(const Mark& mark) const {
    return std::span(references_).subspan(mark.references);
  }
  /// True if all references read since then refer to values read since then.
  [[nodiscard]] bool standsAlone(const Mark& since) const;
  /// True if references may count values that only PHP can see: those within a Custom.
  [[nodiscard]] bool hasCustom() const { return hiddenMax_ > 0; }

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
  [[nodiscard]] bool readPairsStart(Token& token);
  [[nodiscard]] bool readQuoted(std::string_view& text);
  [[nodiscard]] bool readObjectStart(Token& token);
  [[nodiscard]] bool readCustom(Token& token);
  [[nodiscard]] bool readEnum(Token& token);
  [[nodiscard]] bool readReference(Token& token);

  std::string_view in_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
  std::vector<Reference> references_;
  std::size_t hiddenMax_ = 0;  // the number of values that Customs may hold
};

}  // namespace stormo::php
