#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channel/server/state_file.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"
#include "sys/clock.h"

namespace stormo::channel {

/// The replay window: the latest events as whole frames, for links that reconnect. Limited by bytes
/// and age; both limits may be exceeded by one chunk.
class EventLog {
 public:
  EventLog(std::size_t bytesMax, std::chrono::milliseconds ageMax)
      : bytesMax_(bytesMax), ageMax_(ageMax) {}

  /// Appends room for the frame of event `offset`, which is greater than all before. The caller
  /// writes the frame at once; it is valid until the next call.
  char* append(std::uint64_t offset, std::size_t bytes, TimePoint now);

  /// True if all events after `offset` are still here.
  [[nodiscard]] bool reaches(std::uint64_t offset) const { return offset >= forgotten_; }

  /// Calls visit(frame) for all events after `offset`, in order, until it returns false.
  template <typename Visit>
  void visitAfter(std::uint64_t offset, const Visit& visit) const {
    for (const Chunk& chunk : chunks_) {
      if (chunk.lastOffset <= offset) continue;
      for (std::string_view rest = chunk.bytes; !rest.empty();) {
        const std::string_view frame = firstFrame(rest);
        if (writtenOffset(frame) > offset && !visit(frame)) return;
        rest.remove_prefix(frame.size());
      }
    }
  }

  void save(StateWriter& state) const;
  /// Only on an empty log.
  void load(StateReader& state, TimePoint now);

 private:
  struct Chunk {
    std::string bytes;  // whole frames; its capacity never grows
    std::uint64_t lastOffset = 0;
    TimePoint lastTime{};
  };

  void makeChunk(std::size_t bytes);
  void forget(TimePoint now);

  const std::size_t bytesMax_;
  const std::chrono::milliseconds ageMax_;
  std::vector<Chunk> chunks_;    // oldest first
  Chunk spare_;                  // memory of a removed chunk, for reuse
  std::size_t bytes_ = 0;        // capacity of all chunks
  std::uint64_t forgotten_ = 0;  // offset of the latest removed event
};

}  // namespace stormo::channel
