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

/// The latest events of a Channel server's life, as the whole frames that subscribers get, for
/// links that were away for a while. Bounded by bytes and by age; both may be exceeded by one
/// chunk.
class EventLog {
 public:
  EventLog(std::size_t bytesMax, std::chrono::milliseconds ageMax)
      : bytesMax_(bytesMax), ageMax_(ageMax) {}

  /// Room for the frame of event `offset`, which is greater than all before. It must be written at
  /// once, and stays where it is until the next call.
  char* append(std::uint64_t offset, std::size_t bytes, TimePoint now);

  /// True if no event after `offset` has been forgotten.
  [[nodiscard]] bool reaches(std::uint64_t offset) const { return offset >= forgotten_; }

  /// Visits the frames of all events after `offset`, in order, as long as `visit` gives true.
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
  /// Into an empty log.
  void load(StateReader& state, TimePoint now);

 private:
  struct Chunk {
    std::string bytes;  // whole frames; its room never grows
    std::uint64_t lastOffset = 0;
    TimePoint lastTime{};
  };

  void makeChunk(std::size_t bytes);
  void forget(TimePoint now);

  const std::size_t bytesMax_;
  const std::chrono::milliseconds ageMax_;
  std::vector<Chunk> chunks_;    // the oldest first
  Chunk spare_;                  // the room of one that was forgotten
  std::size_t bytes_ = 0;        // of all chunks' room
  std::uint64_t forgotten_ = 0;  // the last event that is no longer here
};

}  // namespace stormo::channel
