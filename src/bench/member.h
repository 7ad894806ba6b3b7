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
  bool looks = false;            ///< At every message of the run; else it counts their bytes.
  bool counting = false;         ///< Does so now.
  std::uint32_t roundHeard = 0;  ///< The latest round of probes.
  std::uint64_t countedBytes = 0;
  std::uint64_t messages = 0;  ///< Of the run, looked at.
  /// Of a member that looks: the greatest sequence so far of each publisher of its group.
  std::vector<std::uint32_t> last;
  std::string unread;  ///< The beginning of a frame.
  std::string unsent;
};

/// A member's second role.
struct Publisher {
  Member* member;
  PublishFrame frame;
  std::uint32_t sequence = 0;
};

}  // namespace stormo::bench
