#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stormo {

/// A string as it is written in a JSON text.
struct JsonString {
  std::string_view raw;  ///< Between the quotes.
  bool isEscaped = false;

  /// The string that it stands for: `raw` itself, or written to `buffer` if there are escapes. Half
  /// of a surrogate pair ("\ud83d") becomes U+FFFD, as in every UTF-8 encoder.
  [[nodiscard]] std::string_view text(std::string& buffer) const;
};

/// Reads one JSON text (RFC 8259) from front to back in linear time, and allocates nothing. The
/// views that it gives are parts of the text. Values are checked against the grammar alone: a
/// number may be of any size. A text that is not UTF-8, or nests deeper than `nestingMax`, is
/// malformed. After an error no input is left, so that every loop ends, and done() is false.
class JsonScanner {
 public:
  static constexpr std::size_t kNestingMax = 512;  ///< As in PHP.

  explicit JsonScanner(std::string_view text, std::size_t nestingMax = kNestingMax);

  enum class Kind { None, Object, Array, String, Number, True, False, Null };
  /// What begins behind the white space, by its first byte. None: no value does.
  [[nodiscard]] Kind next();

  // Each reads one value of that kind.

  [[nodiscard]] JsonString string();
  [[nodiscard]] std::string_view number();
  /// `visit(JsonString key)` has to read the member's value.
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
  /// `visit()` has to read the element.
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
  /// A value of any kind; gives it as it is written.
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
