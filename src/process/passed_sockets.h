#pragma once

#include <optional>
#include <string>
#include <vector>

#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// The listening sockets that a service manager has opened for this process: sd_listen_fds(3),
/// socket activation.
class PassedSockets {
 public:
  PassedSockets() = default;
  /// Takes them over by $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES, which it removes from the
  /// environment.
  static PassedSockets fromEnvironment();

  /// The one that listens where `listening` wants to; nullopt if there is none. One that listens on
  /// `::` for IPv4, too, is the one for 0.0.0.0 as well, if there is no other.
  std::optional<UniqueFd> take(const Listening& listening);

  /// Logs those that were not taken.
  void reportUnused() const;

 private:
  struct Socket {
    UniqueFd fd;
    Address address;
    std::string name;  ///< FileDescriptorName= of the unit.
  };
  std::vector<Socket> sockets_;
};

}  // namespace stormo::process
