#pragma once

#include <stormo/api.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/sha256.h"

namespace stormo::server::api {

/// What a key may do; several are or-ed.
enum class Right : std::uint8_t { Publish = 1, Control = 2, Read = 4 };

/// "publish" and so on; nothing for another word.
[[nodiscard]] std::optional<Right> rightNamed(std::string_view name);
[[nodiscard]] std::string_view nameOf(Right right);

/// The keys that requests may show.
class Keys {
 public:
  struct Key {
    std::string name;
    access::Sha256 hash{};
    std::uint8_t rights = 0;

    [[nodiscard]] bool may(Right right) const {
      return (rights & static_cast<std::uint8_t>(right)) != 0;
    }
  };

  /// Throws as ApiServer's constructor.
  explicit Keys(const std::vector<ApiKey>& keys);

  /// The key that an Authorization header shows: "Bearer KEY". Null if it shows none of these.
  [[nodiscard]] const Key* find(std::string_view authorization) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace stormo::server::api
