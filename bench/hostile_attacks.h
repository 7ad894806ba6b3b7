#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/address.h"

namespace stormo::bench {

/// The script of some clients of an attack: connect, send `opening`, then send `repeated`
/// repeatedly.
struct HostileScript {
  std::size_t clients = 0;
  /// First bytes of the client with that number, including its request head.
  std::function<std::string(std::size_t client)> opening;
  /// Empty: nothing after the opening.
  std::function<std::string(std::size_t client)> repeated = {};
  bool reads = true;              ///< False: the server's output stays in the kernel.
  double bytesReadPerSecond = 0;  ///< By each client, into a small buffer; 0: all that arrives.
  double repeatsPerSecond = 0;    ///< Of all clients together; 0: as fast as the server reads.
  std::uint64_t repeatsMax = 0;   ///< Of all clients together; 0: no limit.
  bool resets = false;            ///< Closes with an RST after the opening,
  std::uint64_t resetsAfterBytes = 0;  ///< once the server has sent so many bytes.
  bool reconnects = true;              ///< After the connection has ended.
};

struct HostileAttack {
  const char* name;
  const char* what;
  std::vector<std::string> serverArguments;  ///< Additional arguments of `stormo start`.
  /// Called before the clients of the attack connect. It may use the server itself.
  std::function<std::vector<HostileScript>(const Address& server)> scripts;
};

/// All attacks, in the order of execution.
const std::vector<HostileAttack>& hostileAttacks();

/// A WebSocket upgrade request.
std::string upgradeRequest(std::string_view subprotocol = {});

}  // namespace stormo::bench
