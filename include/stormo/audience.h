#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace stormo {

/// Whom a message or a command is for: the members of a group, the clients of a user, one client,
/// or everybody. Each is a name of the Channel, so what is true of the messages of a group (order,
/// acknowledgement, and all but for a client also history) is true of all of them. Names that
/// begin with a zero byte are reserved for users, clients and everybody: no client can join or send
/// to a group of such a name.
///
///     backend.send(Audience::user("ada"), "You have mail.");
class Audience {
 public:
  enum class Kind { Group, User, Client, Everybody };

  /// The longest id of a user, in bytes.
  static constexpr std::size_t kUserBytesMax = 253;

  /// They throw std::invalid_argument: a group has a name of 1 to 255 bytes that does not begin
  /// with a zero byte, a user an id of 1 to kUserBytesMax bytes, a client an id as clientIdOf()
  /// returns it.
  static Audience group(std::string_view name);
  static Audience user(std::string_view id);
  static Audience client(std::string_view id);
  static Audience everybody();

  /// The audience with that name in the Channel; nothing if the name is none.
  static std::optional<Audience> ofName(std::string_view channelName);

  [[nodiscard]] Kind kind() const;
  /// The group's name, the user's or the client's id; empty for everybody. Valid as long as this.
  [[nodiscard]] std::string_view id() const;
  /// Its name in the Channel. Valid as long as this.
  [[nodiscard]] const std::string& channelName() const { return name_; }

  auto operator<=>(const Audience&) const = default;

 private:
  explicit Audience(std::string name) : name_(std::move(name)) {}

  std::string name_;
};

/// True for a name that no group can have: it is empty, longer than 255 bytes, or reserved.
[[nodiscard]] constexpr bool isReservedName(std::string_view name) {
  return name.empty() || name.size() > 255 || name.front() == '\0';
}

}  // namespace stormo
