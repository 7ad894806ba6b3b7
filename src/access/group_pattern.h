#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::access {

/// A pattern of group names, as matchesPattern() takes it. Most patterns are a name, or a text with
/// one `*`: these need no search, nor do names that begin or end otherwise than the pattern.
/// Matching a name of a group allocates nothing.
class GroupPattern {
 public:
  explicit GroupPattern(std::string_view text);

  [[nodiscard]] bool matches(std::string_view group) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Form : std::uint8_t {
    Name,
    OneStar,
    Other,
  };

  std::string text_;
  Form form_ = Form::Name;
  // Bytes at its begin and end that stand for themselves; not of a Name.
  std::size_t beforeBytes_ = 0;
  std::size_t afterBytes_ = 0;
};

/// A pattern in which `{user}` stands for the user of a client, literally: no byte of a user's name
/// is a wildcard. For a client without a user such a pattern matches nothing.
class UserPattern {
 public:
  explicit UserPattern(std::string_view text);

  /// `user` is empty for a client without one, and has no zero byte. Allocates nothing after the
  /// first calls.
  [[nodiscard]] bool matches(std::string_view group, std::string_view user) const;

  /// The pattern for that user, which is not empty.
  [[nodiscard]] static std::string with(std::string_view pattern, std::string_view user);
  [[nodiscard]] static bool hasPlace(std::string_view pattern);

 private:
  enum class Form : std::uint8_t {
    NoPlace,  ///< `{user}` is not in it.
    Plain,    ///< A text, `{user}`, and a text, which `*` may follow.
    Other,
  };

  GroupPattern pattern_;
  Form form_ = Form::NoPlace;
  // Of Form::Plain:
  std::string before_;
  std::string after_;
  bool isOpen_ = false;  // `*` is its end
};

}  // namespace stormo::access
