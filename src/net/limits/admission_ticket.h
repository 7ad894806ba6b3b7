#pragma once

#include <cstdint>

namespace stormo::net {

/// The limit that refuses a connection.
enum class Refusal : std::uint8_t {
  None,
  Connections,
  ConnectionsPerAddress,
  ConnectionsPerUser,
  ConnectionsPerSecond,
  Handshakes,
};

/// Where an accepted connection is counted by its Admission.
struct AdmissionTicket {
  bool isCounted : 1 = false;           ///< Among the Worker's connections.
  bool isAddressCounted : 1 = false;    ///< Among those of its address.
  bool isUserCounted : 1 = false;       ///< Among those of its user.
  bool isHandshakeCounted : 1 = false;  ///< Among the handshakes in progress.
  bool isAnswerCounted : 1 = false;     ///< Among those that only wait for their answer.
  Refusal refusal = Refusal::None;      ///< Its only output will be the answer to this.
};

}  // namespace stormo::net
