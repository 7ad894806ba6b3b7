#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stormo {

/// A string in its JSON form.
struct JsonString {
  std::string_view raw;  ///< Between the quotes.
  bool isEscaped = false;

  /// The unescaped string: `raw` itself, or written to `buffer` if there are escapes. Half of a
  /// surrogate pair ("\ud83d") becomes U+FFFD.
  [[nodiscard]] std::string_view text(std::string& buffer) const;
};

/// Reads one JSON text (RFC 8259) from front to back in linear time, without allocating. The
/// returned views are parts of the text. Values are checked against the grammar only: a number may
/// be of any size. A text that is not UTF-8, or nests deeper than `nestingMax`, is malformed. After
/// an error no input is left, so that every loop ends, and done() is false.
class JsonScanner {
 public:
  static constexpr std::size_t kNestingMax = 512;  ///< As in PHP.

  explicit JsonScanner(std::string_view text, std::size_t nestingMax = kNestingMax);

  enum class Kind { None, Object, Array, String, Number, True, False, Null };
  /// The kind of the next value, by its first byte after white space. None: there is no value.
  [[nodiscard]] Kind next();

  // Each reads one value of its kind.

  [[nodiscard]] JsonString string();
  [[nodiscard]] std::string_view number();
  /// `visit(JsonString key)` must read the value of the member.
  template <typename Visit>
  void object(const Visit& visit) {
    enter('{');
    if (!takeIf('}')) {
      do {
        const JsonString key = string();
        take(':');
        visit(key);
      } while (takeIf(','));
      take('}');
    }
    --depth_;
  }
  /// `visit()` must read the element.
  template <typename Visit>
  void array(const Visit& visit) {
    enter('[');
    if (!takeIf(']')) {
      do {
        visit();
      } while (takeIf(','));
      take(']');
    }
    --depth_;
  }
  /// Reads a value of any kind and returns its JSON text.
  std::string_view skip();

  /// True if the text was valid and has been read to its end.
  [[nodiscard]] bool done();

 private:
  void skipSpace() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  [[nodiscard]] bool takeIf(char c) {
    skipSpace();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void take(char c) {
    if (!takeIf(c)) fail();
  }
  void enter(char bracket);
  void skipValue();
  void skipKey();
  void skipWord(std::string_view word);
  [[nodiscard]] bool skipEscape();
  [[nodiscard]] bool skipDigits();
  void fail();

  const char* at_;
  const char* end_;
  std::size_t nestingMax_;
  std::size_t depth_ = 0;
  bool failed_ = false;
};

}  // namespace stormo
