#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/group_pattern.h"

namespace stormo::access {

/// What a client may do in a group. Values are bits.
enum class May : std::uint8_t { Join = 1, Send = 2, History = 4, Presence = 8 };

inline constexpr std::uint8_t kMayAll = 15;

/// "join", "send", "history", "presence". Zero for other names.
[[nodiscard]] std::uint8_t mayNamed(std::string_view name);

/// What a user may do in groups whose names match patterns (see matchesPattern()).
class Rights {
 public:
  /// Grants `may`, bits of May, in the groups of the pattern. `{user}` in it stands for `user`,
  /// literally: no byte of a user's name is a wildcard. Without a user such a pattern matches
  /// nothing.
  void grant(std::string_view pattern, std::uint8_t may, std::string_view user);

  [[nodiscard]] bool allow(May what, std::string_view group) const;
  /// Each grant, for people: "chat.* join, send".
  [[nodiscard]] std::vector<std::string> texts() const;
  [[nodiscard]] bool empty() const { return grants_.empty(); }

 private:
  struct Grant {
    GroupPattern pattern;
    std::uint8_t may;
  };

  std::vector<Grant> grants_;
};

}  // namespace stormo::access
