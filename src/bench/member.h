#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/client_frames.h"
#include "bench/v1_session.h"
#include "net/tls/tls_session.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// One connection of a load test.
struct Member {
  /// Away: of stormo.v1, until it connects again.
  enum class State : std::uint8_t { Idle, Handshake, Greeting, Joined, Away, Closed };

  std::size_t number = 0;  ///< In the whole test.
  std::size_t group = 0;
  UniqueFd fd;
  std::unique_ptr<net::TlsSession> tls;  ///< Null without TLS.
  State state = State::Idle;
  bool reads = false;     ///< Reads every message of the run; otherwise counts their bytes.
  bool counting = false;  ///< Counts bytes now.
  std::uint32_t roundReceived = 0;  ///< The latest round of probes received.
  std::uint64_t countedBytes = 0;
  std::uint64_t messages = 0;  ///< Messages of the run that were read.
  /// If it reads messages: the highest sequence so far of each publisher of its group.
  std::vector<std::uint32_t> last;
  std::unique_ptr<V1Session> v1;  ///< Null with other protocols.
  bool hasJoined = false;         ///< With stormo.v1: once.
  std::string unread;             ///< The beginning of a frame.
  std::string unsent;
};

/// A member that also publishes.
struct Publisher {
  Member* member;
  PublishFrame frame;
  std::uint32_t sequence = 0;
};

}  // namespace stormo::bench
