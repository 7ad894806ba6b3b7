#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/address.h"

namespace stormo::bench {

/// What some clients of an attack do: they connect, send `opening`, and then `repeated` over and
/// over.
struct HostileScript {
  std::size_t clients = 0;
  /// First bytes of the client with that number, its request head included.
  std::function<std::string(std::size_t client)> opening;
  /// Empty: nothing after the opening.
  std::function<std::string(std::size_t client)> repeated = {};
  bool reads = true;             ///< False: what the server sends stays in the kernel.
  double repeatsPerSecond = 0;   ///< By all of them together; 0: as fast as the server takes it.
  std::uint64_t repeatsMax = 0;  ///< By all of them together; 0: no limit.
  bool reconnects = true;        ///< After the server has closed the connection.
};

struct HostileAttack {
  const char* name;
  const char* what;
  std::vector<std::string> serverArguments;  ///< For `stormo start`, beside the usual ones.
  /// Called before the clients of the attack connect; it may use the server itself.
  std::function<std::vector<HostileScript>(const Address& server)> scripts;
};

/// All attacks, in the order in which they are run.
const std::vector<HostileAttack>& hostileAttacks();

/// A request for an upgrade to WebSocket.
std::string upgradeRequest(std::string_view subprotocol = {});

}  // namespace stormo::bench
