#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/scanner.h"

namespace stormo {

/// Reads some fields of JSON objects, one object after another. Fields come in any order, of a
/// field given twice the last counts (as in PHP), and others are ignored: of these only the grammar
/// is checked. Once its buffers have grown to the longest string with escapes, reading allocates
/// nothing. All views are valid until the next read(), and while the text that was read is.
class JsonFields {
 public:
  /// `names` live as long as this; a field is then called by its place among them.
  explicit JsonFields(std::initializer_list<std::string_view> names);

  enum class Verdict { Ok, NotJson, NotAnObject };
  /// The whole text must be one valid JSON object (RFC 8259).
  [[nodiscard]] Verdict read(std::string_view text);

  // Of what was read last, if that went well.

  [[nodiscard]] bool has(std::size_t field) const;
  /// Nothing if it is missing, or no string.
  [[nodiscard]] std::optional<std::string_view> string(std::size_t field);
  /// Nothing if it is missing, or no integer from 0 to 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> natural(std::size_t field) const;
  /// A string, or an integer of 64 bits as its decimal text. Nothing if it is missing, or neither.
  [[nodiscard]] std::optional<std::string_view> name(std::size_t field);
  /// Of a field that is there: the string, or of any other value its JSON text as it is written,
  /// without white space.
  [[nodiscard]] std::string_view text(std::size_t field);

 private:
  /// A field of the object as it stands last in the text.
  struct Field {
    std::string_view name;
    JsonScanner::Kind kind = JsonScanner::Kind::None;
    JsonString written = {};  ///< Of a value that is no string: its JSON text.
    std::string buffer = {};  ///< For what cannot be a view of the text.
  };

  Field* fieldOf(const JsonString& key);

  std::vector<Field> fields_;
  std::uint64_t lengths_ = 0;  // that the names have: most other keys are told by theirs
  std::string key_;            // a buffer
};

}  // namespace stormo
