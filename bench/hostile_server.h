#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sys/address.h"

namespace stormo::bench {

/// `stormo start` with two workers in a temporary directory, on a free loopback port. The server
/// ends with this object.
class HostileServer {
 public:
  /// Returns once it accepts connections. Throws std::runtime_error if it does not.
  HostileServer(const std::string& program, const std::vector<std::string>& arguments);
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  [[nodiscard]] const Address& address() const { return address_; }
  /// Resident memory of all workers, and of the Channel server.
  struct Memory {
    std::uint64_t workers = 0;
    std::uint64_t channel = 0;
  };
  [[nodiscard]] Memory memory() const;

 private:
  [[nodiscard]] std::vector<pid_t> children() const;
  [[nodiscard]] bool hasEnded() const;
  void stop();

  std::string directory_;
  Address address_;
  pid_t master_ = -1;
};

}  // namespace stormo::bench
