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

/// Reads selected fields of JSON objects, one object after another. Fields may have any order, the
/// last of equal fields counts (as in PHP), and other fields are ignored: only their grammar is
/// checked. Once its buffers have the size of the longest string with escapes, reading does not
/// allocate. All views are valid until the next read(), and while the text is.
class JsonFields {
 public:
  /// `names` must outlive this object. Fields are referred to by their index in `names`.
  explicit JsonFields(std::initializer_list<std::string_view> names);

  enum class Verdict { Ok, NotJson, NotAnObject };
  /// The whole text must be one valid JSON object (RFC 8259).
  [[nodiscard]] Verdict read(std::string_view text);

  // The fields of the last object, if read() returned Ok.

  [[nodiscard]] bool has(std::size_t field) const;
  /// The string. Nothing if the field is missing or no string.
  [[nodiscard]] std::optional<std::string_view> string(std::size_t field);
  /// The integer. Nothing if the field is missing or no integer from 0 to 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> natural(std::size_t field) const;
  /// A string, or the decimal text of a 64-bit integer. Nothing if the field is missing or neither.
  [[nodiscard]] std::optional<std::string_view> name(std::size_t field);
  /// The string, or the JSON text of any other value, without white space. The field must exist.
  [[nodiscard]] std::string_view text(std::size_t field);

 private:
  /// The last occurrence of a field in the text.
  struct Field {
    std::string_view name;
    JsonScanner::Kind kind = JsonScanner::Kind::None;
    JsonString written = {};  ///< The JSON text, if the value is no string.
    std::string buffer = {};  ///< Storage for text that is no view of the input.
  };

  Field* fieldOf(const JsonString& key);

  std::vector<Field> fields_;
  std::uint64_t lengths_ = 0;  // of the names, as bits: most other keys differ in length
  std::string key_;            // storage of an unescaped key
};

}  // namespace stormo
