#pragma once

#include <optional>
#include <string>

namespace stormo {

/// Which clients may do something in a group.
enum class Who {
  Anyone,  ///< Every client, also one without a token.
  Users,   ///< Every client whose token was accepted, whatever it states.
  Token,   ///< A client whose token states it: in `rights`, or to join, in `groups`.
  Nobody,  ///< No client. The program and links to the Channel may.
};

/// What clients may do in the groups whose names match a pattern. Of several rules the first that
/// matches decides.
struct AccessRule {
  /// As for file names in a shell: `*` is any text, `?` one byte, `[ab]` one of these bytes.
  /// `{user}` is the user of the client, literally; for a client without a user such a pattern
  /// matches nothing.
  std::string groups;
  /// Nothing: as in groups that no rule matches, which is Token if there are keys, else Anyone.
  std::optional<Who> join = {};
  std::optional<Who> send = {};  ///< As `join`.
  /// Messages of clients are published as {"user":"ada","message":"text"}, so that each receiver
  /// knows the sender; `user` is null for a client without one.
  bool envelope = false;

  bool operator==(const AccessRule&) const = default;
};

}  // namespace stormo
