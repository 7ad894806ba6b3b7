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
    ObjectStart,  ///< O: pairs follow as behind ArrayStart.
    Custom,       ///< C: a whole object of a class with a format of its own.
    Enum,         ///< E.
    Reference,    ///< R or r: to a value that came earlier in the text.
  };

  Type type = Type::Null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::size_t count =
      0;  ///< Of ArrayStart, ObjectStart: how many pairs of key and value claim to follow.
  std::string_view text;  ///< A string's bytes; a number as it is spelled. A view into the input.
};

/// Where the number in a reference is. It counts the values of the whole text from 1 on, keys and
/// R references left out: so it changes when the value that holds it becomes part of another text.
struct Reference {
  std::size_t at = 0;  ///< In the input.
  std::size_t bytes = 0;
  std::size_t number = 0;
};

/// Appends text that was read from `start` on in an input, with the numbers of `references`, which
/// are in it, changed: minus `before` plus `after`.
void appendRenumbered(std::string_view text, std::size_t start,
                      std::span<const Reference> references, std::size_t before, std::size_t after,
                      std::string& out);

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
  /// Reads one whole value without keeping any of it. `depthMax` counts arrays and objects within
  /// one another; each pair passed takes one off `elementsLeft`, and there must be enough.
  [[nodiscard]] bool skipValue(std::size_t depthMax, std::size_t& elementsLeft);
  /// The same behind the value's first token.
  [[nodiscard]] bool skipRest(const Token& first, std::size_t depthMax, std::size_t& elementsLeft);

  /// Bytes read so far.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// The input from `start` to the current position.
  [[nodiscard]] std::string_view since(std::size_t start) const {
    return in_.substr(start, at_ - start);
  }

  /// A place between two values.
  struct Mark {
    std::size_t position = 0;
    std::size_t values = 0;  ///< How many are before it, as references count.
    std::size_t references = 0;
  };
  [[nodiscard]] Mark mark() const { return {at_, values_, references_.size()}; }
  /// The references in what was read since.
  [[nodiscard]] std::span<const Reference> referencesSince(const Mark& mark) const {
    return std::span(references_).subspan(mark.references);
  }
  /// What was read since refers to itself only.
  [[nodiscard]] bool standsAlone(const Mark& since) const;
  /// References may count values that only PHP knows: those within a Custom.
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
  std::size_t hiddenMax_ = 0;  // so many more may be in Customs
};

}  // namespace stormo::php
