#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "access/token.h"
#include "base/keyed_hash.h"

namespace stormo::access {

/// Tokens that are not accepted any more, though they are valid otherwise: of a user, or one of a
/// certain id (`jti`). A check takes constant time.
class Revocations {
 public:
  enum class Of : std::uint8_t { User, Token };
  struct Entry {
    Of of = Of::User;
    std::string name = {};  ///< The user, or the id of the token: 1 to kNameBytesMax bytes.
    /// Only tokens that were issued before that time; one without a time of issue was. Nothing:
    /// all.
    std::optional<UnixSeconds> issuedBefore = {};
    UnixSeconds until = 0;  ///< It is forgotten at that time.
  };

  static constexpr std::size_t kNameBytesMax = 1024;

  /// Keeps at most that many.
  explicit Revocations(std::size_t entriesMax = 1'000'000) : entriesMax_(entriesMax) {}

  /// Replaces the entry of the same name, and ends it if `until` has come. Returns false if another
  /// entry, the one that would be forgotten first, had to make room.
  bool add(const Entry& entry, UnixSeconds now);
  [[nodiscard]] bool revoke(const Token& token, UnixSeconds now) const;
  [[nodiscard]] static bool revokes(const Entry& entry, const Token& token);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }

 private:
  struct Revoked {
    std::optional<UnixSeconds> issuedBefore;
    UnixSeconds until;
  };
  using Table = KeyedMap<std::string, Revoked>;

  [[nodiscard]] Table& tableOf(Of of) { return of == Of::User ? users_ : tokens_; }
  void forget(Of of, const std::string& name);
  void forgetFirst();
  [[nodiscard]] static bool holds(const Table& table, const std::string& name, const Token& token,
                                  UnixSeconds now);

  const std::size_t entriesMax_;
  Table users_;
  Table tokens_;
  struct End {
    UnixSeconds until;
    Of of;
    const std::string* name;  // the key in its table
    auto operator<=>(const End&) const = default;
  };
  std::set<End> ends_;
};

}  // namespace stormo::access
