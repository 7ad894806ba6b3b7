#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>

namespace stormo {

/// Reads some fields of JSON objects, one object after another. Fields come in any order, of a
/// field given twice the last counts (as in PHP), and others are ignored. Once its buffers have
/// grown to the longest text, reading a valid object allocates nothing. All views are valid until
/// the next read().
class JsonFields {
 public:
  /// `names` live as long as this; a field is then called by its place among them.
  explicit JsonFields(std::initializer_list<std::string_view> names);
  ~JsonFields();
  JsonFields(JsonFields&&) noexcept;
  JsonFields& operator=(JsonFields&&) noexcept;

  enum class Verdict { Ok, NotJson, NotAnObject };
  /// The whole text must be one valid JSON object (RFC 8259).
  [[nodiscard]] Verdict read(std::string_view text);

  // Of what was read last, if that went well.

  [[nodiscard]] bool has(std::size_t field) const;
  /// Nothing if it is missing, or no string.
  [[nodiscard]] std::optional<std::string_view> string(std::size_t field) const;
  /// Nothing if it is missing, or no integer from 0 to 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> natural(std::size_t field) const;
  /// A string, or an integer of 64 bits as its decimal text. Nothing if it is missing, or neither.
  /// One at a time: the next call may overwrite the text.
  [[nodiscard]] std::optional<std::string_view> name(std::size_t field);
  /// Of a field that is there: the string, or of any other value its JSON text as it is written,
  /// without white space. One at a time, too.
  [[nodiscard]] std::string_view text(std::size_t field);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stormo
