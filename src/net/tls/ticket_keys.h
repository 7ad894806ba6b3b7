#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace stormo::net {

/// The keys of session tickets (RFC 5077, RFC 8446 4.6.1). Processes that share them resume each
/// other's sessions.
class TicketKeys {
 public:
  /// A random one. Throws std::bad_alloc if the system has no random bytes.
  TicketKeys();

  struct Key {
    std::array<unsigned char, 16> name;  ///< In the ticket, in clear.
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  /// Encrypts new tickets.
  [[nodiscard]] const Key& current() const { return current_; }
  /// The key of that name, of those that decrypt; null if it is none of them.
  [[nodiscard]] const Key* find(const unsigned char* name) const;

  /// Makes a new key the current one. The one before still decrypts, until the next rotation.
  void rotate();

  static constexpr std::size_t kBytes = 2 * sizeof(Key);
  [[nodiscard]] std::string encode() const;
  static std::optional<TicketKeys> decode(std::string_view bytes);

 private:
  Key current_;
  Key previous_;
};

}  // namespace stormo::net
