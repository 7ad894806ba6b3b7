#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/client_frames.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// One connection of a load test.
struct Member {
  enum class State : std::uint8_t { Idle, Handshake, Greeting, Joined, Closed };

  std::size_t number = 0;  ///< In the whole test.
  std::size_t group = 0;
  UniqueFd fd;
  State state = State::Idle;
  bool reads = false;     ///< Reads every message of the run; otherwise counts their bytes.
  bool counting = false;  ///< Counts bytes now.
  std::uint32_t roundReceived = 0;  ///< The latest round of probes received.
  std::uint64_t countedBytes = 0;
  std::uint64_t messages = 0;  ///< Messages of the run that were read.
  /// If it reads messages: the highest sequence so far of each publisher of its group.
  std::vector<std::uint32_t> last;
  std::string unread;  ///< The beginning of a frame.
  std::string unsent;
};

/// A member that also publishes.
struct Publisher {
  Member* member;
  PublishFrame frame;
  std::uint32_t sequence = 0;
};

}  // namespace stormo::bench
