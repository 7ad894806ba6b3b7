#pragma once

#include <stormo/connection_id.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"

namespace stormo::access {

/// The ids that the clients of one process have towards others: base64url of 24 bytes, of which 9
/// are random and the same for all clients of the process, 8 are the ConnectionId, and 7 are a
/// keyed hash of it. So nobody can guess the id of another client, and nothing is stored for an id.
class ClientIds {
 public:
  /// Draws the random bytes and the key of the hash. Throws std::system_error if the system has
  /// none.
  ClientIds();

  [[nodiscard]] std::string idOf(ConnectionId connection) const;
  /// Nothing if the text is no id of this object.
  [[nodiscard]] std::optional<ConnectionId> connectionOf(std::string_view id) const;

 private:
  static constexpr std::size_t kProcessBytes = 9;
  static constexpr std::size_t kHashBytes = 7;

  std::string process_;
  HashKey key_;
};

/// Those of this process, drawn at the first call: after the fork.
[[nodiscard]] const ClientIds& clientIds();

}  // namespace stormo::access
