#pragma once

#include <cstdint>

namespace stormo {

/// How far somebody has got: within an epoch, a life of the Channel server, offsets grow from
/// message to message. An epoch of zero is none.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  bool operator==(const Position&) const = default;
};

}  // namespace stormo
